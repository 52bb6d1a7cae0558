"""Making a run fit the memory that is free: the fastest setting first, shorter rows last."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from engine.plan.abilities import has_8bit_optimizer, quantizes
from engine.plan.calibration import Calibrations
from engine.plan.memory import estimate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.types import Lengths
    from engine.models.types import ModelShape
    from engine.plan.parameters import TrainingParams
    from engine.plan.types import Device, Memory

STEP = 64
"""Lengths that are tried are multiples of it."""
_TRAINED_SHARE = 0.5
"""At least: the longest rows are often those with the longest answers."""
_COMPUTED_TWICE = 4 / 3
"""What recomputation costs: 147 CPU-seconds against 110 (ours, measured)."""
_BUSY_TOKENS = 512
"""In a forward pass with fewer, a GPU waits for weights and launches rather than computes.

An H100 or RTX 4090 does about 300 operations in the time in which it reads a byte of weights.
"""
_SMALL_SAVING = 0.01
"""Of the free memory; the 8-bit optimizer is not worth its rounding where it saves less."""
_TABLE = ((7e9, 2_048), (12e9, 4_096))
_TABLE_LARGEST = 8_192
_TABLE_MODELS = (1e9, 2e9)
"""The hardware table: tokens in a forward pass by a card's memory, for 1 to 2 billion parameters.

In rows of 512 that is 4 on an RTX 3060 of 6 GB, 8 on a 3070 or 4060 of 8 GB, 16 on a 4070 of 12.
"""


@dataclass(frozen=True)
class Need:
    """What the memory of a run depends on, apart from its parameters."""

    shape: ModelShape
    lengths: Lengths
    device: Device
    kernels: frozenset[str] = field(default_factory=frozenset)
    """Attention kernels that are installed beside PyTorch's own."""
    calibrations: Calibrations = field(default_factory=Calibrations)
    """What runs on this machine have measured."""

    def row_tokens(self, params: TrainingParams) -> int:
        """Count the tokens of the longest row as it is trained."""
        return max(1, min(self.lengths.longest, params.max_seq_length))

    def unanswered(self, limit: int) -> list[int]:
        """List the measured rows that keep no token of their answer at a length."""
        return sorted(row for start, row in self.lengths.starts if start >= limit)

    def memory(self, params: TrainingParams) -> Memory:
        """Predict the peak for the longest batch that these rows can make."""
        share = max(_TRAINED_SHARE, self.lengths.trained / max(1, self.lengths.total))
        length = self.row_tokens(params)
        memory = estimate(self.shape, params, length, self.device, share)
        measured = self.calibrations.of(self.device, self.shape, params)
        return measured.correct(memory) if measured else memory


def fit(
    need: Need, params: TrainingParams, free_to_choose: set[str], batches: list[int]
) -> TrainingParams:
    """Find the first setting that fits, from the fastest to the most frugal.

    4-bit costs precision, a paged optimizer waits for the bus, and cutting rows costs data: by
    itself this cuts at most one row in twenty.

    Args:
        need: What the memory depends on.
        params: All other parameters; returned with the settings put in.
        free_to_choose: Parameters that were not set.
        batches: Batch sizes to try, largest first.

    Returns:
        Parameters that fit, or the most frugal ones where none does.
    """
    candidate = params
    for candidate in _settings(need, params, free_to_choose, batches):
        if need.memory(candidate).fits:
            return _plain_optimizer(need, candidate, free_to_choose)
    if "max_seq_length" in free_to_choose:
        candidate = longest_fitting(need, candidate, need.lengths.p95) or candidate
    return _plain_optimizer(need, candidate, free_to_choose)


def longest_fitting(
    need: Need, params: TrainingParams, shortest: int = STEP
) -> TrainingParams | None:
    """Find the greatest length below the present one that fits; ``None`` where none does."""
    below = (min(params.max_seq_length, need.lengths.longest) - 1) // STEP * STEP
    for length in range(below, max(shortest, STEP) - 1, -STEP):
        candidate = params.model_copy(update={"max_seq_length": length})
        if need.memory(candidate).fits:
            return candidate
    return None


def table_tokens(need: Need, params: TrainingParams) -> int | None:
    """Give the hardware table's tokens for one forward pass; ``None`` where it says nothing."""
    low, high = _TABLE_MODELS
    if (
        need.device.kind != "cuda"
        or not params.use_4bit
        or not low <= need.shape.parameters <= high
    ):
        return None
    memory = need.device.memory_total
    return next((tokens for below, tokens in _TABLE if memory < below), _TABLE_LARGEST)


def _settings(
    need: Need, params: TrainingParams, free: set[str], batches: list[int]
) -> Iterator[TrainingParams]:
    """Give the settings to try: the optimizer's tricks last, 4-bit before them, then by speed."""
    # Only where memory is the GPU's own: a CPU computes several times slower in 4 bits.
    may_quantize = need.device.kind == "cuda" and quantizes(need.device)
    four_bit = _options("use_4bit", params.use_4bit, may_quantize, free)
    again = _options("gradient_checkpointing", params.gradient_checkpointing, True, free)
    for optim, bits in product(_optimizers(need, params, free), four_bit):
        chosen = params.model_copy(update={"optim": optim, "use_4bit": bits})
        for twice, batch in _by_speed(need, chosen, again, batches):
            update = {"gradient_checkpointing": twice, "batch_size": batch}
            yield chosen.model_copy(update=update)


def _by_speed(
    need: Need, params: TrainingParams, again: list[bool], batches: list[int]
) -> list[tuple[bool, int]]:
    """Sort recomputation and batch by the time that a row takes; the table goes before."""
    tokens = need.row_tokens(params)
    if limit := table_tokens(need, params):
        batches = [batch for batch in batches if batch * tokens <= limit] or batches[-1:]
        return [(twice, batch) for batch in batches for twice in again]

    def slowness(setting: tuple[bool, int]) -> tuple[float, int]:
        twice, batch = setting
        waiting = max(1.0, _BUSY_TOKENS / (batch * tokens))
        return waiting * (_COMPUTED_TWICE if twice else 1.0), -batch

    return sorted(product(again, batches), key=slowness)


def _optimizers(need: Need, params: TrainingParams, free: set[str]) -> list[str]:
    """Give the optimizers to try, the least saving first."""
    if "optim" not in free or not has_8bit_optimizer(need.device):
        return [params.optim]
    return list(dict.fromkeys([params.optim, "adamw_8bit", "paged_adamw_8bit"]))


def _plain_optimizer(need: Need, params: TrainingParams, free: set[str]) -> TrainingParams:
    """Take back what the optimizer need not save: paging, then 8 bits that save next to nothing."""
    eight = params.model_copy(update={"optim": "adamw_8bit"})
    if "optim" not in free or params.optim == "adamw_torch" or not need.memory(eight).fits:
        return params
    plain = params.model_copy(update={"optim": "adamw_torch"})
    saving = need.memory(plain).total - need.memory(eight).total
    small = saving <= _SMALL_SAVING * need.device.memory_free
    return plain if small and need.memory(plain).fits else eight


def _options(key: str, value: bool, possible: bool, free: set[str]) -> list[bool]:
    """Give the values to try for a switch: off, then on where that is possible."""
    return [False, True] if key in free and possible else [value]
