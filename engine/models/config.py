"""Read a model's sizes from its configuration, without loading a weight."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.files import read_plain
from engine.language import tr
from engine.models.gguf_header import GgufHeader, read_header
from engine.models.types import ModelShape
from engine.text import fault_of

if TYPE_CHECKING:
    from pathlib import Path

# A saved config.json leaves out what equals its class's default, so these must be known here.
_GEMMA = {"head_dim": 256, "tie_word_embeddings": True}
_TIED = {"tie_word_embeddings": True}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "gemma": _GEMMA,
    "gemma2": _GEMMA | {"num_attention_heads": 8, "num_key_value_heads": 4},
    "gemma3_text": _GEMMA
    | {
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "vocab_size": 262208,
        "max_position_embeddings": 131072,
    },
    "qwen3": {"head_dim": 128},
    "mistral": {"num_key_value_heads": 8},
    "mixtral": {"num_key_value_heads": 8},
} | dict.fromkeys(
    ("gpt2", "opt", "bloom", "falcon", "cohere", "cohere2", "starcoder2", "smollm3", "lfm2"), _TIED
)
# These have two matrices in the MLP; all others have a gate as well.
_UNGATED = frozenset(
    {"gpt2", "gpt_neox", "gptj", "opt", "phi", "bloom", "falcon", "starcoder2", "nemotron"}
)


class _Sizes:
    """A configuration's values under the several names that architectures give them."""

    def __init__(self, file: Path, outer: dict[str, Any]) -> None:
        nested = outer.get("text_config")
        values = outer | nested if isinstance(nested, dict) else outer
        self.file = file
        self.kind = str(values.get("model_type", "unknown"))
        self.values = _DEFAULTS.get(self.kind, {}) | values

    def want(self, *names: str) -> int:
        """Give a size that must be there."""
        value = self.get(*names)
        if value is None:
            raise _unreadable(self.file, tr("it has no {name}", name=names[0]))
        return value

    def get(self, *names: str) -> int | None:
        """Give the first of several names that is there, as a positive number."""
        for name in names:
            value = self.values.get(name)
            if value is None or (isinstance(value, int) and value == 0):
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise _unreadable(
                    self.file, tr("its {name} is not a positive whole number", name=name)
                )
            return value
        return None


def read_config(folder: Path) -> dict[str, Any]:
    """Read a model folder's ``config.json``.

    Raises:
        LoraDeckError: It is missing, not readable, or not a JSON object.
    """
    file = folder / "config.json"
    try:
        config = json.loads(read_plain(file))
    except FileNotFoundError as error:
        raise _unreadable(file, tr("it is missing")) from error
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise _unreadable(file, tr("it is not valid JSON ({error})", error=error)) from error
    if not isinstance(config, dict):
        raise _unreadable(file, tr("it is not a JSON object"))
    return config


def read_shape(folder: Path) -> ModelShape:
    """Compute a model's sizes from its ``config.json`` alone; biases are left out.

    Raises:
        LoraDeckError: The file is missing, broken or without a size that is needed.
    """
    sizes = _Sizes(folder / "config.json", read_config(folder))
    hidden = sizes.want("hidden_size", "n_embd", "d_model")
    layers = sizes.want("num_hidden_layers", "n_layer", "num_layers")
    heads = sizes.want("num_attention_heads", "n_head", "num_heads")
    head = sizes.get("head_dim") or hidden // heads
    query, key_value = heads * head, (sizes.get("num_key_value_heads") or heads) * head
    vocabulary = sizes.want("vocab_size")
    tied = bool(sizes.values.get("tie_word_embeddings", False))
    mlp, mlp_weights = _mlp(sizes, hidden)
    attention = 2 * hidden * query + 2 * hidden * key_value
    blocks = layers * (attention + mlp_weights + 2 * hidden)
    return ModelShape(
        architecture=sizes.kind,
        parameters=vocabulary * hidden * (1 if tied else 2) + blocks + hidden,
        hidden=hidden,
        layers=layers,
        vocabulary=vocabulary,
        mlp=mlp,
        heads=heads,
        query=query,
        key_value=key_value,
        context=sizes.get("max_position_embeddings", "n_positions", "n_ctx") or 2048,
        tied_embeddings=tied,
    )


def _mlp(sizes: _Sizes, hidden: int) -> tuple[int, int]:
    """Give the MLP's width, as one token passes it, and its weights in one layer."""
    dense = sizes.get("intermediate_size", "n_inner", "ffn_dim", "d_ff") or 4 * hidden
    matrices = 2 if sizes.kind in _UNGATED else 3
    experts = sizes.get("num_local_experts", "num_experts", "n_routed_experts")
    if experts is None:
        return dense, matrices * hidden * dense
    width = sizes.get("moe_intermediate_size") or dense
    shared = sizes.get("shared_expert_intermediate_size") or 0
    router = experts * hidden + (hidden if shared else 0)
    active = (sizes.get("num_experts_per_tok") or 1) * width + shared
    return active, matrices * hidden * (experts * width + shared) + router


def shape_of_gguf(file: Path) -> ModelShape:
    """Read a GGUF file's sizes from its metadata; the parameters are counted exactly.

    Raises:
        LoraDeckError: It is no GGUF file, cut short, or without a size that is needed.
    """
    header = read_header(file)
    hidden, heads = (
        _gguf_size(header, "embedding_length"),
        _gguf_size(header, "attention.head_count"),
    )
    head = header.number("attention.key_length") or hidden // heads
    return ModelShape(
        architecture=header.architecture,
        parameters=header.parameters,
        hidden=hidden,
        layers=_gguf_size(header, "block_count"),
        vocabulary=header.number("vocab_size") or header.vocabulary,
        mlp=header.number("feed_forward_length") or 4 * hidden,
        heads=heads,
        query=heads * head,
        key_value=(header.number("attention.head_count_kv") or heads) * head,
        context=header.number("context_length") or 2048,
        tied_embeddings="output.weight" not in header.tensors,
    )


def _gguf_size(header: GgufHeader, name: str) -> int:
    """Give a size of the metadata that must be there."""
    value = header.number(name)
    if not value:
        raise _unreadable(
            header.file,
            tr("it has no {name}", name=f"{header.architecture}.{name}"),
        )
    return value


def _unreadable(file: Path, reason: str) -> LoraDeckError:
    """Put a fault of a configuration into words."""
    return LoraDeckError(
        tr("Model not readable"),
        fault_of(file, reason),
        tr("Fetch the model again, or choose another one: loradeck models"),
    )
