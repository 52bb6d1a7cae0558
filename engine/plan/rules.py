"""What the number of training rows and the model's size ask for: one small table and a rule.

Sources: rules.md's table, OpenAI's cookbook (epochs of few rows), tinker-cookbook (learning rate
by hidden size), LoRA Without Regret (all linear layers, small batches). What is ours was measured
on the demo model by ``benchmarks/plan_quality.py``: for a dozen facts 1e-3 with rank 32 and 12
passes is the best of twelve points; for 60 tickets 5e-4 with rank 32 and 5 passes is within 2 % of
the best, 1e-3 8 % off. Where rows are held out, the best checkpoint is what is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.language import mark, tr
from engine.plan.sources import AXOLOTL
from engine.text import human_count

if TYPE_CHECKING:
    from engine.models.types import ModelShape

Rate = Literal["few", "some", "many"]


@dataclass(frozen=True)
class Band:
    """What datasets of up to so many training rows get."""

    rows: int
    effective_batch: int
    rank: int
    epochs: int
    """Fewest passes over the rows."""
    most_epochs: int
    least_steps: int
    """More passes are made, up to ``most_epochs``, until there are this many steps."""
    warmup_steps: int
    warmup_share: float
    """Of all steps; goes before ``warmup_steps`` where it is above 0."""
    rate: Rate


BANDS = (
    #    rows  batch  rank  epochs most  steps  warm-up   rate
    Band(30, 2, 32, 1, 25, 72, 2, 0.0, "few"),
    Band(300, 4, 32, 5, 10, 60, 5, 0.0, "some"),
    Band(1_000, 8, 32, 3, 3, 0, 0, 0.05, "many"),
    Band(3_000, 16, 32, 3, 3, 0, 0, 0.05, "many"),
    Band(20_000, 16, 32, 2, 2, 0, 0, 0.03, "many"),
)
LARGEST = Band(0, 16, 64, 1, 1, 0, 0, 0.03, "many")

_FEW_EXAMPLES = 100
"""OpenAI's cookbook: under 100 rows, ``100 // rows`` epochs."""
_TINKER = "tinker-cookbook"
_FEW_RATE = (5e-5, 1e-3)
_SOME_RATE = (5e-5, 5e-4)
_SMALL_MODEL_RATE = (2e-4, 5e-4)


def band_for(rows: int) -> Band:
    """Give the table's line for a number of training rows."""
    return next((band for band in BANDS if rows <= band.rows), LARGEST)


def epochs_for(rows: int, per_epoch: int, band: Band) -> int:
    """Choose the passes over the data.

    Args:
        rows: Training rows.
        per_epoch: Optimizer steps in one pass.
        band: The table's line.
    """
    by_steps = -(-band.least_steps // per_epoch)
    by_rows = _FEW_EXAMPLES // rows
    return min(band.most_epochs, max(band.epochs, by_steps, by_rows))


def learning_rate(shape: ModelShape, band: Band) -> tuple[float, str, str]:
    """Choose the learning rate, with the reason and its source.

    Up to 30 rows take tinker's rate as it stands, up to 300 half of it, more the field's 2e-4 or
    1e-4, or tinker's rate scaled from its batch of 128 to 16 for models under a billion parameters.
    """
    size = human_count(shape.parameters)
    if band.rate == "few":
        rate = _clamp(_tinker(shape.hidden), *_FEW_RATE)
        reason = tr(
            "few rows need large steps, a model {hidden} wide bears {rate:g}",
            hidden=shape.hidden,
            rate=rate,
        )
        return rate, reason, _TINKER
    base = 2e-4 if shape.parameters <= 8.5e9 else 1e-4
    if band.rate == "some":
        rate = max(base, _clamp(_tinker(shape.hidden) / 2, *_SOME_RATE))
        reason = tr(
            "up to {rows} rows: half of what a model {hidden} wide bears for a few, "
            "at least {base:g}",
            rows=band.rows,
            hidden=shape.hidden,
            base=base,
        )
        return rate, reason, mark("ours, measured; tinker-cookbook")
    if shape.parameters < 1e9:
        rate = _clamp(_tinker(shape.hidden) * (16 / 128) ** 0.5, *_SMALL_MODEL_RATE)
        reason = tr(
            "{size} parameters: a model under 1 B bears more than the usual 2e-4", size=size
        )
        return rate, reason, _TINKER
    reason = tr("{size} parameters: 2e-4 is usual up to 8 B, 1e-4 above", size=size)
    return base, reason, AXOLOTL


def _tinker(hidden: int) -> float:
    """Give tinker-cookbook's rate for a hidden width, with its exponent for Llama."""
    return float(5e-4 * (2000 / hidden) ** 0.781)


def _clamp(value: float, low: float, high: float) -> float:
    """Keep a rate within bounds, with two digits: more would feign precision."""
    return float(f"{min(high, max(low, value)):.1e}")
