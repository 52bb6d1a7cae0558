"""The loss of trained tokens alone: no other token passes the head, no logit is kept.

The head is frozen, so the hidden states' gradient is known as soon as a tile of logits is: it is
computed at once, and a tile is forgotten before the next is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear, pad

from engine.plan.memory import TILE
from engine.train.shapes import room_for

if TYPE_CHECKING:
    from torch import Tensor


def summed_loss(hidden: Tensor, head: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
    """Sum the cross-entropy of the next tokens.

    Args:
        hidden: (tokens, hidden), those before a trained token only.
        head: (vocabulary, hidden), frozen.
        bias: (vocabulary) or ``None``.
        targets: (tokens), the trained tokens.

    Returns:
        A number in fp32, differentiable by ``hidden``.
    """
    rest = room_for(len(hidden), hidden) - len(hidden)
    summed: Tensor = _TiledLoss.apply(  # type: ignore[no-untyped-call]
        pad(hidden, (0, 0, 0, rest)), head, bias, targets
    )
    return summed


def hits(hidden: Tensor, head: Tensor, bias: Tensor | None, targets: Tensor) -> Tensor:
    """Count the tokens that are the likeliest at their places; takes what ``summed_loss`` takes."""
    found = hidden.new_zeros((), dtype=torch.long)
    tile = _tile(hidden, head)
    for start in range(0, len(hidden), tile):
        logits = linear(hidden[start : start + tile], head, bias)
        found += (logits.argmax(dim=1) == targets[start : start + tile]).sum()
    return found


def _tile(hidden: Tensor, head: Tensor) -> int:
    """Give how many tokens pass the head at once."""
    return max(1, TILE.get(hidden.device.type, TILE["cuda"]) // head.shape[0])


class _TiledLoss(torch.autograd.Function):
    """Cross-entropy by tiles, with the gradient made on the way."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, head: Tensor, bias: Tensor | None, targets: Tensor
    ) -> Tensor:
        """Sum up, and keep the gradient where one is wanted; rows without a target only fill up."""
        gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        total = hidden.new_zeros((), dtype=torch.float32)
        tile = _tile(hidden, head)
        for start in range(0, len(hidden), tile):
            end = min(start + tile, len(hidden))
            logits = linear(hidden[start:end], head, bias).float()
            index = targets[start:end, None]
            logits = logits[: len(index)]
            normalizer = logits.logsumexp(dim=1, keepdim=True)
            total += (normalizer - logits.gather(1, index)).sum()
            if gradient is not None:
                # softmax minus one at the target
                logits.sub_(normalizer).exp_().scatter_add_(
                    1, index, logits.new_full(index.shape, -1.0)
                )
                rest = end - start - len(index)
                slope = pad(logits.to(head.dtype), (0, 0, 0, rest))
                torch.mm(slope, head, out=gradient[start:end])
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        """Scale the gradient that the forward pass has made."""
        (kept,) = ctx.saved_tensors
        return kept * gradient.to(kept.dtype), None, None, None
