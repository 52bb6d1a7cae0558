"""What runs on this machine have measured: it corrects a plan's memory and gives its time."""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from engine.files import write_atomic
from engine.plan.memory import FIRST_PASS, estimate

if TYPE_CHECKING:
    from pathlib import Path

    from engine.models.types import ModelShape
    from engine.plan.parameters import TrainingParams
    from engine.plan.types import Device, Memory, Plan
    from engine.tasks.events import MemoryProbed

_SLOPE = (0.3, 3.0)
"""What a measured step may say at most: beyond it something else was measured."""
_TELLING = 300_000_000
"""Bytes that a pass must be expected to take, so that what else comes with it does not matter."""
_AS_LARGE = 0.8
"""Of the largest batch measured before, the tokens of one whose word counts as much."""
_BY_PASS = ("activations", "logits", "gradients")
"""The parts that come with a pass; the others are there before it."""


class Measured(BaseModel):
    """What one kind of run was found to take on this machine."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    fixed: int = Field(0, ge=-(10**12), le=10**12)
    """Bytes that are there before a pass beyond what the memory model expects; may be negative."""
    slope: float = Field(1.0, ge=_SLOPE[0], le=_SLOPE[1])
    """What a pass takes, as a multiple of what the memory model expects."""
    tokens: int = Field(0, ge=0)
    """Of the batch that told the slope; 0 where none was large enough."""
    seconds_per_token: float | None = Field(None, gt=0)
    """Of an optimizer step."""
    eval_seconds_per_token: float | None = Field(None, gt=0)

    def correct(self, memory: Memory) -> Memory:
        """Correct a prediction of the memory model."""
        parts = dict(memory.parts)
        for name in ("activations", "logits"):
            parts[name] = int(parts[name] * self.slope)
        parts["framework"] = max(0, parts["framework"] + self.fixed)
        return memory.model_copy(
            update={"parts": parts, "total": sum(parts.values()), "measured": True}
        )


class Calibrations(BaseModel):
    """All that was measured, by device, model, number format and versions."""

    model_config = ConfigDict(frozen=True)

    measured: dict[str, Measured] = {}

    @classmethod
    def load(cls, path: Path) -> Calibrations:
        """Read the file of a home; empty where there is none or it is damaged."""
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return cls()

    def save(self, path: Path) -> None:
        """Write the file of a home."""
        write_atomic(path, self.model_dump_json(indent=1))

    def of(self, device: Device, shape: ModelShape, params: TrainingParams) -> Measured | None:
        """Give what runs of this kind took; ``None`` where none has run."""
        return self.measured.get(_key(device, shape, params))

    def with_run(
        self,
        plan: Plan,
        probed: MemoryProbed,
        peak: int,
        seconds_per_token: float | None,
        eval_seconds_per_token: float | None,
    ) -> Calibrations:
        """Add what a run has measured.

        Args:
            plan: What the run was started with.
            probed: Its longest batch.
            peak: Bytes at the run's peak; 0 where it did not come to its end.
            seconds_per_token: Of its optimizer steps; ``None`` where too few were timed.
            eval_seconds_per_token: Of its evaluations, likewise.
        """
        shape = plan.model.shape
        if shape is None:
            return self
        twice = {"gradient_checkpointing": probed.gradient_checkpointing}
        params = plan.training_params.model_copy(update=twice)
        key = _key(plan.device, shape, params)
        before = self.measured.get(key, Measured())
        found = _compare(plan, shape, params, probed, max(peak, probed.measured))
        slope = _weighed(before, found)
        now = Measured(
            fixed=found.fixed,
            slope=slope.slope,
            tokens=slope.tokens,
            seconds_per_token=seconds_per_token or before.seconds_per_token,
            eval_seconds_per_token=eval_seconds_per_token or before.eval_seconds_per_token,
        )
        return Calibrations(measured=self.measured | {key: now})


def _weighed(before: Measured, found: Measured) -> Measured:
    """Choose whose slope counts: a larger batch's, the higher one of batches alike."""
    if found.tokens < _AS_LARGE * before.tokens:
        return before
    if found.tokens * _AS_LARGE > before.tokens:
        return found
    return max(before, found, key=lambda one: one.slope)


def _compare(
    plan: Plan, shape: ModelShape, params: TrainingParams, probed: MemoryProbed, peak: int
) -> Measured:
    """Set what a batch took beside what the memory model expects of exactly that batch."""
    expected = estimate(
        shape,
        params.model_copy(update={"batch_size": 1}),
        probed.tokens,
        plan.device,
        trained_share=probed.trained / probed.tokens,
        row_tokens=min(plan.lengths.longest, params.max_seq_length, probed.tokens),
    ).parts
    first = FIRST_PASS if plan.device.kind == "cpu" else 0
    before = expected["weights"] + expected["adapter"] + expected["framework"] - first
    in_pass = sum(expected[name] for name in _BY_PASS)
    if in_pass < _TELLING:
        return Measured(fixed=probed.fixed - before)
    low, high = _SLOPE
    took = peak - probed.fixed - first - expected["optimizer"]
    slope = min(high, max(low, took / in_pass))
    return Measured(fixed=probed.fixed - before, slope=slope, tokens=probed.tokens)


def _key(device: Device, shape: ModelShape, params: TrainingParams) -> str:
    """Name a kind of run: what memory and speed hang on beside the number of tokens."""
    kind = (
        device.name,
        f"{shape.architecture}-{shape.hidden}x{shape.layers}x{shape.vocabulary}",
        "nf4" if params.use_4bit else params.dtype,
        params.attn_implementation,
        "twice" if params.gradient_checkpointing else "once",
        *_versions(),
    )
    return " | ".join(kind)


@lru_cache
def _versions() -> tuple[str, ...]:
    """Give the versions that a measured figure holds for."""
    return tuple(f"{name} {metadata.version(name)}" for name in ("torch", "transformers"))
