"""Which type each tensor of a K-quantized file gets, by the rules of llama.cpp."""

from __future__ import annotations

import pytest
from gguf import GGMLQuantizationType as T

from engine.results.export.mixture import Mixture


def mixture(kind: str, *, layers: int = 32, has_output: bool = True) -> Mixture:
    return Mixture(kind=kind, layers=layers, grouped=4, has_output=has_output)


@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [
        ("q4_k_m", "blk.0.attn_v.weight", T.Q6_K),
        ("q4_k_m", "blk.4.attn_v.weight", T.Q4_K),
        ("q4_k_m", "blk.6.ffn_down.weight", T.Q6_K),
        ("q4_k_m", "blk.31.ffn_down.weight", T.Q6_K),
        ("q4_k_m", "blk.0.attn_q.weight", T.Q4_K),
        ("q4_k_m", "token_embd.weight", T.Q4_K),
        ("q4_k_m", "output.weight", T.Q6_K),
        ("q4_k_m", "blk.0.attn_qkv.weight", T.Q5_K),
        ("q4_k_s", "blk.3.attn_v.weight", T.Q5_K),
        ("q4_k_s", "blk.3.ffn_down.weight", T.Q5_K),
        ("q4_k_s", "blk.4.ffn_down.weight", T.Q4_K),
        ("q5_k_m", "blk.4.ffn_down.weight", T.Q5_K),
        ("q5_k_s", "blk.0.ffn_down.weight", T.Q5_K),
        ("q6_k", "blk.0.attn_v.weight", T.Q6_K),
        ("q3_k_m", "blk.1.attn_v.weight", T.Q5_K),
        ("q3_k_m", "blk.2.attn_v.weight", T.Q4_K),
        ("q3_k_m", "blk.1.ffn_down.weight", T.Q5_K),
        ("q3_k_m", "blk.9.attn_output.weight", T.Q4_K),
        ("q2_k", "blk.0.attn_v.weight", T.Q4_K),
        ("q2_k", "blk.0.ffn_up.weight", T.Q2_K),
        ("q2_k", "blk.0.attn_output.weight", T.Q3_K),
        ("q4_k_m", "blk.0.attn_norm.weight", None),
        ("q4_k_m", "blk.0.ffn_gate_inp.weight", None),
        ("q4_k_m", "blk.0.attn_q.bias", None),
    ],
)
def test_sensitive_matrices_get_finer_types(kind: str, name: str, wanted: T | None) -> None:
    assert mixture(kind).type_of(name, (4096, 4096)) == wanted


def test_rows_that_do_not_divide_into_blocks_get_smaller_ones() -> None:
    made = mixture("q4_k_m", has_output=False)
    assert made.type_of("blk.4.attn_q.weight", (576, 64)) == T.Q5_0
    assert made.type_of("token_embd.weight", (576, 64)) == T.Q8_0
    assert mixture("q2_k").type_of("blk.4.attn_q.weight", (576, 64)) == T.IQ4_NL
    assert made.type_of("blk.4.attn_q.weight", (40, 64)) is None
    assert made.type_of("blk.4.attn_q.weight", (4096,)) is None
