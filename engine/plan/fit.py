"""Making a run fit the memory that is free: smaller batches first, shorter rows last."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from engine.plan.memory import adapter_size, estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.data.types import Lengths
    from engine.models.types import ModelShape
    from engine.plan.parameters import TrainingParams
    from engine.plan.types import Device, Memory

_STEP = 64
"""Lengths that are tried are multiples of it."""
_TRAINED_SHARE = 0.5
"""At least: the longest rows are often those with the longest answers."""


@dataclass(frozen=True)
class Need:
    """What the memory of a run depends on, apart from its parameters."""

    shape: ModelShape
    lengths: Lengths
    device: Device

    def memory(self, params: TrainingParams) -> Memory:
        """Predict the peak for the longest batch that these rows can make."""
        length = min(self.lengths.longest, params.max_seq_length)
        adapter = adapter_size(self.shape, params.lora_rank)
        share = max(_TRAINED_SHARE, self.lengths.trained / max(1, self.lengths.total))
        return estimate(self.shape, params, length, self.device, adapter, share)


def fit(
    need: Need, params: TrainingParams, free_to_choose: set[str], batches: list[int]
) -> TrainingParams:
    """Find the first setting that fits, from the fastest to the most frugal.

    Smaller batches cost little, computing activations twice costs a third of the time, 4-bit
    (on CUDA only) costs precision, and cutting rows costs data: by itself this cuts at most one
    row in twenty.

    Args:
        need: What the memory depends on.
        params: All other parameters; returned with the settings put in.
        free_to_choose: Parameters that the user did not set.
        batches: Batch sizes to try, largest first.

    Returns:
        Parameters that fit, or the most frugal ones where none does.
    """
    four_bit = _options("use_4bit", params.use_4bit, need.device.kind == "cuda", free_to_choose)
    twice = _options("gradient_checkpointing", params.gradient_checkpointing, True, free_to_choose)
    candidate = params
    for use_4bit, again, batch in product(four_bit, twice, batches):
        settings = {"use_4bit": use_4bit, "gradient_checkpointing": again, "batch_size": batch}
        candidate = params.model_copy(update=settings)
        if need.memory(candidate).fits:
            return candidate
    if "max_seq_length" in free_to_choose:
        return longest_fitting(need, candidate, need.lengths.p95) or candidate
    return candidate


def longest_fitting(
    need: Need, params: TrainingParams, shortest: int = _STEP
) -> TrainingParams | None:
    """Find the greatest length below the present one that fits; ``None`` where none does."""
    below = (min(params.max_seq_length, need.lengths.longest) - 1) // _STEP * _STEP
    for length in range(below, max(shortest, _STEP) - 1, -_STEP):
        candidate = params.model_copy(update={"max_seq_length": length})
        if need.memory(candidate).fits:
            return candidate
    return None


def nearest(need: Need, params: TrainingParams) -> dict[str, Any] | None:
    """Find the nearest settings that would fit: each saves more than the one before.

    Returns:
        What to set, or ``None`` where no setting of this model would fit.
    """
    changes: dict[str, Any] = {}
    for relax in _RELAXATIONS:
        changes |= relax(need, params)
        candidate = params.model_copy(update=changes)
        if need.memory(candidate).fits:
            return changes
        if shorter := longest_fitting(need, candidate, need.lengths.p50):
            return changes | {"max_seq_length": shorter.max_seq_length}
    return None


def _batch_of_one(_need: Need, params: TrainingParams) -> dict[str, Any]:
    """Take one row at a time, at the same effective batch."""
    if params.batch_size == 1:
        return {}
    return {"batch_size": 1, "gradient_accumulation_steps": params.effective_batch}


def _checkpointing(_need: Need, params: TrainingParams) -> dict[str, Any]:
    """Compute activations twice."""
    return {} if params.gradient_checkpointing else {"gradient_checkpointing": True}


def _four_bit(need: Need, params: TrainingParams) -> dict[str, Any]:
    """Quantize the base model, where that is possible."""
    return {} if params.use_4bit or need.device.kind == "mps" else {"use_4bit": True}


_RELAXATIONS: tuple[Callable[[Need, TrainingParams], dict[str, Any]], ...] = (
    _batch_of_one,
    _checkpointing,
    _four_bit,
)


def _options(key: str, value: bool, possible: bool, free: set[str]) -> Iterator[bool]:
    """Give the values to try for a switch: off, then on where that is possible."""
    return iter((False, True) if key in free and possible else (value,))
