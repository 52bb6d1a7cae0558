"""How a chat's base model is held: number format and memory, decided before anything is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.errors import LoraDeckError
from engine.language import tr
from engine.plan.abilities import quantizes
from engine.plan.memory import CUDA_CONTEXT, CUDA_SLACK, base_bytes
from engine.text import human_bytes

if TYPE_CHECKING:
    from engine.models.types import ModelInfo, ModelShape
    from engine.plan.types import Device

_LIBRARIES = 700_000_000
"""A process with torch, transformers and PEFT imported, and its first answer's buffers."""
_CONTEXT = 4096
"""Tokens of conversations whose keys and values are reckoned with."""


class Held(NamedTuple):
    """How a base model is held, and what that takes."""

    dtype: str
    use_4bit: bool
    bytes: int


def choose_format(model: ModelInfo, device: Device, free: int) -> Held:
    """Choose the format that the device computes fastest in, of those whose memory is free.

    Args:
        free: Bytes that nobody holds or is still to take.

    Raises:
        LoraDeckError: None fits.
    """
    assert model.shape is not None  # noqa: S101 - a ready model has one
    found = [_held(model.shape, device, *one) for one in _formats(device)]
    for one in found:
        if one.bytes <= free:
            return one
    least = min(found, key=lambda one: one.bytes)
    raise LoraDeckError(
        tr("No memory for a chat"),
        tr(
            "{model} wants {size} of memory on {device}; {free} are free beside what trainings"
            " take.",
            model=model.name,
            size=human_bytes(least.bytes),
            device=device.name,
            free=human_bytes(max(0, free)),
        ),
        tr("Wait until they are done, or pause one: loradeck tasks pause ID"),
    )


def _formats(device: Device) -> list[tuple[str, bool]]:
    """List number formats, the best first; 4 bits come last, where the device has them."""
    if device.kind == "cpu":
        return [("bfloat16", False)] if device.bf16 else [("float32", False), ("bfloat16", False)]
    half = "bfloat16" if device.bf16 else "float16"
    return [(half, False), (half, True)] if quantizes(device) else [(half, False)]


def _held(shape: ModelShape, device: Device, dtype: str, use_4bit: bool) -> Held:
    """Add up what a model takes."""
    width = 4 if dtype == "float32" else 2
    tokens = min(shape.context, _CONTEXT)
    keys_and_values = 2 * shape.layers * shape.key_value * tokens * width
    total = base_bytes(shape, dtype, use_4bit=use_4bit) + keys_and_values
    beside = _LIBRARIES if device.kind == "cpu" else CUDA_CONTEXT + int(CUDA_SLACK * total)
    return Held(dtype, use_4bit, total + beside)
