"""What a run writes to the disk, part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.plan.memory import adapter_size, optimizer_bytes

if TYPE_CHECKING:
    from engine.models.types import ModelShape
    from engine.plan.parameters import TrainingParams
    from engine.plan.types import Plan

_TOKENIZER_FILES = 20_000_000
_BESIDE_NEWEST = 2
"""The best checkpoint, and the one that is being written."""
_BYTES_A_TOKEN = 8
"""Of the encoded rows, which lie on the disk while a task runs: number and label."""


def checkpoint_size(plan: Plan) -> int:
    """Give the bytes of one checkpoint of a planned run."""
    kept = plan.training_params.save_total_limit + _BESIDE_NEWEST
    return plan.disk_parts.get("checkpoints", 0) // kept


def disk_parts(shape: ModelShape, params: TrainingParams, tokens: int) -> dict[str, int]:
    """Count what a run writes, in bytes.

    A checkpoint is the adapter, its optimizer state and the tokenizer with the trainer's state.

    Args:
        shape: The base model's.
        params: What the run is started with.
        tokens: Of all rows.

    Returns:
        ``checkpoints`` (as many as lie there at once), ``adapter`` (the finished one), ``cache``
        (the encoded rows).
    """
    count = adapter_size(shape, params.lora_rank, params.target_modules)
    adapter = 4 * count + _TOKENIZER_FILES
    state = optimizer_bytes(params, count)
    return {
        "checkpoints": (params.save_total_limit + _BESIDE_NEWEST) * (adapter + state),
        "adapter": adapter,
        "cache": _BYTES_A_TOKEN * tokens,
    }
