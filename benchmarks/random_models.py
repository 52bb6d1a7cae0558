"""Base models of other shapes with random weights, made on the spot with the demo's tokenizer.

What a run costs in time and memory hangs on the shape alone; what it learns is not looked at.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save_file

from engine.models.folders import INDEX_FILE, describe_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.models.types import ModelInfo

_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
_HEAD = 64


@dataclass(frozen=True)
class Shape:
    """The sizes of a model, Qwen2's or Llama's kind."""

    kind: str
    """``qwen2`` has biases in its attention, ``llama`` has none."""
    hidden: int
    layers: int
    heads: int
    key_value_heads: int
    mlp: int
    vocabulary: int = 49152
    tied: bool = True
    head: int = _HEAD
    """Width of one head."""


SMALL_QWEN = Shape("qwen2", hidden=512, layers=10, heads=8, key_value_heads=2, mlp=2048)
"""63 M parameters: fewer and wider blocks than the demo model's, under the same vocabulary."""
LLAMA_1B = Shape("llama", 2048, 16, 32, 8, 8192, vocabulary=128256)
LLAMA_8B = Shape("llama", 4096, 32, 32, 8, 14336, vocabulary=128256, tied=False, head=128)


def make_model(folder: Path, shape: Shape, tokenizer: Path, dtype: str = "float32") -> ModelInfo:
    """Write a model's folder, a file a block so that no more than that is held in memory.

    Args:
        folder: Where; it must not exist.
        shape: The sizes.
        tokenizer: A model's folder, whose tokenizer and template are taken.
        dtype: ``float32``, or ``float16`` for half the size on disk.
    """
    folder.mkdir(parents=True)
    for name in _TOKENIZER:
        shutil.copyfile(tokenizer / name, folder / name)
    (folder / "config.json").write_text(json.dumps(_config(shape, dtype)), encoding="utf-8")
    index: dict[str, str] = {}
    random = np.random.default_rng(0)
    for number, part in enumerate(_parts(shape)):
        file = f"model-{number + 1:05}-of-{shape.layers + 1:05}.safetensors"
        weights = {name: _draw(random, size, dtype) for name, size in part.items()}
        save_file(weights, folder / file, metadata={"format": "pt"})
        index |= dict.fromkeys(part, file)
    (folder / INDEX_FILE).write_text(
        json.dumps({"metadata": {}, "weight_map": index}), encoding="utf-8"
    )
    return describe_folder(str(folder), "folder", folder)


def _config(shape: Shape, dtype: str) -> dict[str, Any]:
    """Write the sizes as transformers names them."""
    return {
        "architectures": [{"qwen2": "Qwen2ForCausalLM", "llama": "LlamaForCausalLM"}[shape.kind]],
        "model_type": shape.kind,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.key_value_heads,
        "head_dim": shape.head,
        "intermediate_size": shape.mlp,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": shape.tied,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "hidden_act": "silu",
        "dtype": dtype,
    }


def _parts(shape: Shape) -> Iterator[dict[str, tuple[int, ...]]]:
    """List names and sizes of the weights: a part for what lies outside the blocks, then theirs."""
    outside: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (shape.vocabulary, shape.hidden),
        "model.norm.weight": (shape.hidden,),
    }
    if not shape.tied:
        outside["lm_head.weight"] = (shape.vocabulary, shape.hidden)
    yield outside
    for layer in range(shape.layers):
        yield {f"model.layers.{layer}.{name}": size for name, size in _block(shape).items()}


def _block(shape: Shape) -> dict[str, tuple[int, ...]]:
    """List names and sizes of one block's weights."""
    query, key_value = shape.heads * shape.head, shape.key_value_heads * shape.head
    widths = {"q_proj": query, "k_proj": key_value, "v_proj": key_value}
    sizes: dict[str, tuple[int, ...]] = {
        "self_attn.o_proj.weight": (shape.hidden, query),
        "mlp.gate_proj.weight": (shape.mlp, shape.hidden),
        "mlp.up_proj.weight": (shape.mlp, shape.hidden),
        "mlp.down_proj.weight": (shape.hidden, shape.mlp),
        "input_layernorm.weight": (shape.hidden,),
        "post_attention_layernorm.weight": (shape.hidden,),
    }
    for name, width in widths.items():
        sizes[f"self_attn.{name}.weight"] = (width, shape.hidden)
        if shape.kind == "qwen2":
            sizes[f"self_attn.{name}.bias"] = (width,)
    return sizes


def _draw(random: np.random.Generator, size: tuple[int, ...], dtype: str) -> np.ndarray:
    """Draw matrices; norms are ones, and biases too: they cost the same."""
    if len(size) == 1:
        return np.ones(size, dtype)
    return (random.standard_normal(size, dtype=np.float32) * 0.02).astype(dtype)
