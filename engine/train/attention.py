"""Attention over rows laid end to end: each token sees its own row alone, nothing is padded.

Registered with transformers as an attention of its own. The linear layers then work on all rows
at once, and the quadratic part is paid for each row's own length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad, scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from engine.plan.memory import MATH_LENGTH
from engine.train.shapes import room_for

if TYPE_CHECKING:
    from torch import Tensor, nn

PACKED = "loradeck_packed"


def packed_attention(
    _module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    row_lengths: list[int] | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attend causally within each row.

    Args:
        query: (1, heads, tokens, width).
        key: (1, key heads, tokens, width), ``value`` likewise.
        row_lengths: Tokens of each row, in order; one row of all tokens where it is ``None``.
        sliding_window: How far back a token sees, itself included.

    Returns:
        (1, tokens, heads, width), and no weights.
    """
    lengths = row_lengths or [query.shape[2]]
    parts = (torch.split(part, lengths, dim=2) for part in (query, key, value))
    rows = [
        _attend(q, k, v, scaling or query.shape[-1] ** -0.5, sliding_window)
        for q, k, v in zip(*parts, strict=True)
    ]
    return torch.cat(rows, dim=2).transpose(1, 2).contiguous(), None


AttentionInterface.register(PACKED, packed_attention)
# No mask is made: the rows' lengths say all, and a mask over all tokens would be quadratic in them.
AttentionMaskInterface.register(PACKED, lambda *_, **__: None)


def _attend(q: Tensor, k: Tensor, v: Tensor, scaling: float, window: int | None) -> Tensor:
    """Attend causally within one row."""
    length = q.shape[2]
    if window is not None and window < length:
        near = _causal(length, q.device).triu(1 - window)
        return scaled_dot_product_attention(
            q, k, v, attn_mask=near, scale=scaling, enable_gqa=q.shape[1] != k.shape[1]
        )
    if q.device.type == "cpu" and q.dtype is torch.bfloat16 and length <= MATH_LENGTH:
        # Faster than PyTorch's kernel up to there: forward and backward of one row took 7.7 ms
        # instead of 12.9 at 300 tokens, but 127 instead of 68 at 1,024
        rest = room_for(length, q) - length
        filled = (pad(part[0], (0, 0, 0, rest)) for part in (q, k, v))
        attended: Tensor = _MathAttention.apply(*filled, scaling)  # type: ignore[no-untyped-call]
        return attended[None, :, :length]
    if q.device.type != "cpu":
        # Grouped heads can fall to the kernel that builds the whole matrix (rules.md): repeat them
        groups = q.shape[1] // k.shape[1]
        k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
    return scaled_dot_product_attention(
        q, k, v, is_causal=True, scale=scaling, enable_gqa=q.shape[1] != k.shape[1]
    )


def _causal(length: int, device: torch.device) -> Tensor:
    """Tell which tokens (columns) each token (rows) may see."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


class _MathAttention(torch.autograd.Function):
    """Causal attention of one row by matrix products, heads that share keys taken together."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, scaling: float) -> Tensor:
        """Take (heads, tokens, width) and (key heads, tokens, width); give the query's shape."""
        heads, length, width = q.shape
        groups = heads // k.shape[0]
        grouped = (q * scaling).reshape(k.shape[0], groups * length, width)
        scores = torch.bmm(grouped, k.transpose(1, 2)).float()
        unseen = ~_causal(length, q.device)
        scores.view(-1, length, length).masked_fill_(unseen, float("-inf"))
        weights = scores.softmax(dim=-1).to(q.dtype)
        ctx.save_for_backward(grouped, k, v, weights)
        ctx.scaling = scaling
        return torch.bmm(weights, v).view(heads, length, width)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Give the gradients of query, key and value."""
        grouped, k, v, weights = ctx.saved_tensors
        grouped_gradient = gradient.reshape(grouped.shape)
        of_v = torch.bmm(weights.transpose(1, 2), grouped_gradient)
        of_weights = torch.bmm(grouped_gradient, v.transpose(1, 2))
        of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype)
        of_q = torch.bmm(of_scores, k).mul_(ctx.scaling).view(gradient.shape)
        of_k = torch.bmm(of_scores.transpose(1, 2), grouped)
        return of_q, of_k, of_v, None
