"""Whether a base model can be trained on a device at all: the frugal run, before any dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.models.types import Capacity
from engine.plan.abilities import has_8bit_optimizer, plain_format, quantizes
from engine.plan.memory import estimate
from engine.plan.parameters import TrainingParams

if TYPE_CHECKING:
    from engine.models.types import ModelShape
    from engine.plan.types import Device

TOKENS = 512
"""Of the one row in a batch: the length of the hardware table."""


def capacity(shape: ModelShape, device: Device) -> Capacity:
    """Predict what the most frugal usual run needs: rank 16, one row of 512 tokens at a time.

    A run on real data may need more, and its plan says so.

    Args:
        shape: The base model's sizes.
        device: Where it would run, and what is free there now.
    """
    plain = _needed(shape, device, four_bit=False)
    small = _needed(shape, device, four_bit=True) if quantizes(device) else None
    return Capacity(
        dtype=plain_format(device, four_bit=False),
        needed=plain,
        needed_4bit=small,
        free=device.memory_free,
    )


def _needed(shape: ModelShape, device: Device, *, four_bit: bool) -> int:
    """Predict the peak in bytes, with everything on that saves memory at no loss."""
    params = TrainingParams(
        batch_size=1,
        max_seq_length=TOKENS,
        use_4bit=four_bit,
        dtype=plain_format(device, four_bit=four_bit),
        gradient_checkpointing=True,
        optim="adamw_8bit" if has_8bit_optimizer(device) else "adamw_torch",
    )
    return estimate(shape, params, min(TOKENS, shape.context), device).total
