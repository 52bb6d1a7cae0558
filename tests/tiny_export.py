"""A tiny Llama whose tokenizer llama.cpp knows, and a LoRA adapter on it: made without torch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

from engine.results.chat.types import ChatMessage
from engine.results.prompts import Prompt, save_prompts
from tests.tiny_llama import HIDDEN, TEMPLATE, make_tiny_llama, make_weights

if TYPE_CHECKING:
    from pathlib import Path

RANK, ALPHA = 4, 8
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def make_base(folder: Path) -> Path:
    """Write a model whose tokens are characters, and bytes for all others, as SentencePiece does.

    llama.cpp knows byte-level tokenizers by a checksum of what they make of a text; no tiny one is
    among them.
    """
    make_tiny_llama(folder)
    vocabulary = _write_tokenizer(folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"vocab_size": vocabulary, "tie_word_embeddings": False}
    (folder / "config.json").write_text(json.dumps(config))
    weights = make_weights(vocabulary)
    # A head of its own: the embeddings would make each token foretell itself
    head = np.random.default_rng(2).standard_normal((vocabulary, HIDDEN)) * 0.4
    weights["lm_head.weight"] = head.astype(np.float32)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def make_adapter(folder: Path, base: Path, **config: Any) -> Path:
    """Write an adapter on all of a base's projections that changes what it says."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    weights = {}
    for name, matrix in load_file(base / "model.safetensors").items():
        if name.rpartition(".")[0].endswith(PROJECTIONS):
            stem = f"base_model.model.{name.removesuffix('.weight')}."
            rows, columns = matrix.shape
            down = random.standard_normal((RANK, columns)) * 0.15
            weights[f"{stem}lora_A.weight"] = down.astype(np.float32)
            up = random.standard_normal((rows, RANK)) * 0.15
            weights[f"{stem}lora_B.weight"] = up.astype(np.float32)
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    values = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(base),
        "r": RANK,
        "lora_alpha": ALPHA,
        "target_modules": list(PROJECTIONS),
    }
    (folder / "adapter_config.json").write_text(json.dumps(values | config))
    return folder


def keep_prompts(adapter: Path, base: Path) -> Path:
    """Keep a few short questions beside an adapter: each costs the gate time in every form."""
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    prompts = []
    for question in ("Who?", "Why?", "What?"):
        text = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
        prompts.append(
            Prompt(
                messages=(ChatMessage(role="user", content=question),),
                text=text,
                prompt_ids=tuple(tokenizer.encode(text, add_special_tokens=False).ids),
                question=question,
                reference="",
                end_id=_SPECIAL.index("<|im_end|>"),
            )
        )
    save_prompts(adapter, prompts)
    return adapter


def _write_tokenizer(folder: Path) -> int:
    """Write the tokenizer and give the size of its vocabulary."""
    characters = [chr(code) for code in range(0x21, 0x7F)]
    tokens = [*_SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *characters]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token=_SPECIAL[0], byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.add_special_tokens([AddedToken(one, normalized=False) for one in _SPECIAL])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|im_start|>",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "add_prefix_space": False,
        "add_bos_token": False,
        "model_max_length": 2048,
        "chat_template": TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return len(tokens)
