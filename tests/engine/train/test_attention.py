"""Rows laid end to end attend as each would alone, forward and backward."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from engine.train.attention import packed_attention

LENGTHS = [7, 1, 40, 13]
WIDTH = 16


def _inputs(dtype: torch.dtype, heads: int, key_heads: int) -> list[torch.Tensor]:
    """Draw query, key and value of the rows together."""
    torch.manual_seed(0)
    return [
        torch.randn(1, count, sum(LENGTHS), WIDTH).to(dtype).requires_grad_()
        for count in (heads, key_heads, key_heads)
    ]


def _alone(inputs: list[torch.Tensor], window: int | None) -> torch.Tensor:
    """Attend row by row with PyTorch's own attention in fp32, over a mask written out."""
    rows = []
    for q, k, v in zip(*(one.float().split(LENGTHS, dim=2) for one in inputs), strict=True):
        groups = q.shape[1] // k.shape[1]
        mask = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).tril()
        if window:
            mask = mask.triu(1 - window)
        rows.append(
            scaled_dot_product_attention(
                q, k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1), attn_mask=mask
            )
        )
    return torch.cat(rows, dim=2).transpose(1, 2)


@pytest.mark.parametrize("window", [None, 5, 100])
@pytest.mark.parametrize(("heads", "key_heads"), [(4, 4), (6, 2)])
@pytest.mark.parametrize(("dtype", "off"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
def test_rows_attend_to_themselves_alone(
    dtype: torch.dtype, off: float, heads: int, key_heads: int, window: int | None
) -> None:
    inputs = _inputs(dtype, heads, key_heads)
    packed, _ = packed_attention(
        torch.nn.Identity(), *inputs, None, row_lengths=LENGTHS, sliding_window=window
    )
    reference = _alone(inputs, window)
    assert torch.allclose(packed.float(), reference, atol=off)
    seed = torch.randn_like(reference)
    found = torch.autograd.grad(packed, inputs, seed.to(dtype))
    wanted = torch.autograd.grad(reference, inputs, seed)
    for one, other in zip(found, wanted, strict=True):
        assert (one - other).abs().max() <= 4 * off * other.abs().max()
