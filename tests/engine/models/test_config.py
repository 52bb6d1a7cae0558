"""Sizes from config.json and from GGUF metadata, against counts made by hand."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import LoraDeckError
from engine.models.config import read_shape, shape_of_gguf
from engine.models.demo import DEMO
from tests.engine.models.tiny_gguf import write_gguf

if TYPE_CHECKING:
    from pathlib import Path

SMOLLM2 = {
    "model_type": "llama",
    "hidden_size": 576,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "intermediate_size": 1536,
    "vocab_size": 49152,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": True,
}
QWEN = {  # Qwen2.5-0.5B: 494,032,768 with the biases of q, k and v
    "model_type": "qwen2",
    "hidden_size": 896,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "intermediate_size": 4864,
    "vocab_size": 151936,
    "max_position_embeddings": 32768,
    "tie_word_embeddings": True,
}
MIXTRAL = {  # 8x7B: 46,702,792,704
    "model_type": "mixtral",
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "vocab_size": 32000,
    "max_position_embeddings": 32768,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
}
GEMMA = {  # 2B: 2,506,172,416; heads wider than the hidden size would have it, tied by default
    "model_type": "gemma",
    "hidden_size": 2048,
    "num_hidden_layers": 18,
    "num_attention_heads": 8,
    "num_key_value_heads": 1,
    "head_dim": 256,
    "intermediate_size": 16384,
    "vocab_size": 256000,
    "max_position_embeddings": 8192,
}
UNTIED = SMOLLM2 | {"tie_word_embeddings": False}


def config(folder: Path, values: object) -> Path:
    """Write a config.json."""
    text = values if isinstance(values, str) else json.dumps(values)
    (folder / "config.json").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("values", "parameters"),
    [
        (SMOLLM2, 134_515_008),
        (UNTIED, 134_515_008 + 49152 * 576),
        (QWEN, 494_032_768 - 24 * (896 + 2 * 128)),
        (MIXTRAL, 46_702_792_704),
        (GEMMA, 2_506_172_416),
    ],
    ids=["llama", "untied", "qwen2", "mixtral", "gemma"],
)
def test_parameters(tmp_path: Path, values: dict[str, Any], parameters: int) -> None:
    assert read_shape(config(tmp_path, values)).parameters == parameters


def test_the_demo_model_is_described_before_it_is_there(tmp_path: Path) -> None:
    assert read_shape(config(tmp_path, SMOLLM2)) == DEMO.shape


def test_widths(tmp_path: Path) -> None:
    shape = read_shape(config(tmp_path, GEMMA))
    assert (shape.query, shape.key_value, shape.tied_embeddings) == (2048, 256, True)
    assert read_shape(config(tmp_path, MIXTRAL)).mlp == 2 * 14336


def test_sizes_of_the_text_part(tmp_path: Path) -> None:
    outer = {"model_type": "gemma3", "vision_config": {"hidden_size": 7}, "text_config": SMOLLM2}
    assert read_shape(config(tmp_path, outer)) == DEMO.shape


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "not a JSON object"),
        ("{}", "it has no hidden_size"),
        (json.dumps(SMOLLM2 | {"hidden_size": "big"}), "hidden_size is not a positive"),
        (json.dumps(SMOLLM2 | {"num_hidden_layers": -1}), "num_hidden_layers is not a positive"),
    ],
)
def test_a_broken_configuration_is_named(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(LoraDeckError, match=reason) as caught:
        read_shape(config(tmp_path, text))
    assert str(tmp_path / "config.json") in caught.value.message


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoraDeckError, match=r"config\.json: it is missing"):
        read_shape(tmp_path)


def test_a_gguf_file_has_the_sizes_of_its_model(tmp_path: Path, tiny_llama: Path) -> None:
    assert shape_of_gguf(write_gguf(tiny_llama, tmp_path / "t.gguf")) == read_shape(tiny_llama)


@pytest.mark.parametrize("keep", [0, 3, 4, 20, 30, 200, 3000])
def test_a_gguf_file_cut_short_is_named(tmp_path: Path, tiny_llama: Path, keep: int) -> None:
    whole = write_gguf(tiny_llama, tmp_path / "whole.gguf")
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(whole.read_bytes()[:keep])
    with pytest.raises(LoraDeckError, match=r"cut\.gguf"):
        shape_of_gguf(cut)


def test_a_gguf_file_that_lies_about_lengths_is_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge.gguf"
    array = struct.pack("<Q4sIIQ", 4, b"list", 9, 4, 2**62)
    huge.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 2**60, 1) + array)
    with pytest.raises(LoraDeckError, match="ends within its header"):
        shape_of_gguf(huge)
