"""What a run writes to the disk, part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.plan.memory import CHECKPOINTS_KEPT, adapter_size, optimizer_bytes

if TYPE_CHECKING:
    from engine.models.types import ModelShape
    from engine.plan.parameters import TrainingParams

_TOKENIZER_FILES = 20_000_000
_BYTES_A_TOKEN = 8
"""Of the encoded rows, which lie on the disk while a task runs: number and label."""


def disk_parts(shape: ModelShape, params: TrainingParams, tokens: int) -> dict[str, int]:
    """Count what a run writes, in bytes.

    A checkpoint is the adapter, its optimizer state and the tokenizer with the trainer's state.

    Args:
        shape: The base model's.
        params: What the run is started with.
        tokens: Of all rows.

    Returns:
        ``checkpoints`` (those that are kept), ``adapter`` (the finished one), ``cache`` (the
        encoded rows).
    """
    count = adapter_size(shape, params.lora_rank, params.target_modules)
    adapter = 4 * count + _TOKENIZER_FILES
    state = optimizer_bytes(params, count)
    return {
        "checkpoints": CHECKPOINTS_KEPT * (adapter + state),
        "adapter": adapter,
        "cache": _BYTES_A_TOKEN * tokens,
    }
