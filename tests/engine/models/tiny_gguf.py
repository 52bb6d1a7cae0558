"""The tiny Llama as a GGUF file, written as llama.cpp's own converter would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from gguf import GGUFWriter
from safetensors.numpy import load_file

from tests.tiny_llama import HEADS, HIDDEN, KV_HEADS, LAYERS, MLP, TEMPLATE

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def write_gguf(model: Path, file: Path) -> Path:
    """Write a tiny Llama's folder as a GGUF file, its weights in 32 bits."""
    writer = GGUFWriter(file, "llama")
    vocabulary = json.loads((model / "tokenizer.json").read_text())["model"]
    tokens = vocabulary["vocab"]
    writer.add_name("Tiny")
    writer.add_vocab_size(len(tokens))
    writer.add_context_length(2048)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(MLP)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    _add_tokenizer(writer, list(tokens), vocabulary["merges"])
    for name, weight in load_file(model / "model.safetensors").items():
        writer.add_tensor(_gguf_name(name), _permuted(name, weight))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _add_tokenizer(writer: GGUFWriter, tokens: list[str], merges: list[list[str]]) -> None:
    """Write the vocabulary; pad is the end-of-turn token, as SmolLM2's file has it."""
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token.startswith("<|") else 1 for token in tokens])
    if merges:
        writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template(TEMPLATE)


def _gguf_name(name: str) -> str:
    """Give a weight llama.cpp's name."""
    if not name.startswith("model.layers."):
        return {"model.embed_tokens": "token_embd", "model.norm": "output_norm"}[
            name.removesuffix(".weight")
        ] + ".weight"
    layer, _, part = name.removeprefix("model.layers.").removesuffix(".weight").partition(".")
    return f"blk.{layer}.{_NAMES[part]}.weight"


def _permuted(name: str, weight: np.ndarray) -> np.ndarray:
    """Put the rows of queries and keys in llama.cpp's order of rotary halves."""
    if not name.endswith(("q_proj.weight", "k_proj.weight")):
        return weight
    heads = HEADS if "q_proj" in name else KV_HEADS
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, weight.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weight.shape))
