"""Settling the parameters one after the other; later ones follow earlier ones and overrides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.plan import checks
from engine.plan.batching import choose_batch
from engine.plan.numerics import choose_attention, choose_constants, choose_format
from engine.plan.pacing import choose_pace
from engine.plan.rules import Band, band_for
from engine.plan.schedule import evaluation_rows, recommended_length

if TYPE_CHECKING:
    from engine.plan.draft import Draft
    from engine.plan.fit import Need

_REGRET = "LoRA Without Regret (TRL docs)"


def choose_all(draft: Draft, need: Need, rows: int) -> int:
    """Settle every parameter.

    Args:
        draft: Takes the choices; holds what the user set.
        need: Model, lengths and device.
        rows: Rows in the dataset.

    Returns:
        How many rows are trained on.

    Raises:
        LoraDeckError: The evaluation would leave no row to train on, or a step would take more
            rows than there are.
    """
    _length(draft, need)
    rows = _answered(draft, need, rows)
    train_rows = rows - _evaluation(draft, rows)
    band = band_for(train_rows)
    _adapter(draft, band, train_rows)
    choose_format(draft, need)
    choose_attention(draft, need)
    choose_constants(draft)
    choose_batch(draft, need, band, train_rows)
    choose_pace(draft, need.shape, band, train_rows)
    return train_rows


def _answered(draft: Draft, need: Need, rows: int) -> int:
    """Count the rows that keep some of their answer; where none does, a finding refuses the run."""
    lost = len(need.unanswered(draft.choices["max_seq_length"].value))
    return rows - rows * lost // max(1, need.lengths.measured) or rows


def _evaluation(draft: Draft, rows: int) -> int:
    """Hold out rows to measure on."""
    planned = evaluation_rows(rows)
    reason = f"{rows} rows: up to 30 are all needed for the training"
    if planned:
        reason = f"{rows:,} rows: {planned / rows:.0%} are held out to see when it stops helping"
    held_out = draft.choose("eval_rows", planned, reason, "ours")
    checks.refuse_impossible_split(rows, held_out)
    return held_out


def _adapter(draft: Draft, band: Band, rows: int) -> None:
    """Choose the adapter's size by the data."""
    why = f"{rows:,} training rows: {band.rank} hold them"
    rank = draft.choose("lora_rank", band.rank, why, _REGRET)
    why = f"twice the rank of {rank}, as is usual"
    draft.choose("lora_alpha", min(2 * rank, 4096), why, "LLaMA-Factory's default")
    why = "0: costs a quarter of the speed, and gains little"
    draft.choose("lora_dropout", 0.0, why, "ours, measured")
    why = "every linear layer: the attention's alone learn less"
    draft.choose("target_modules", "all-linear", why, _REGRET)


def _length(draft: Draft, need: Need) -> None:
    """Choose the length by the longest row and the model's context."""
    longest, context = need.lengths.longest, need.shape.context
    planned = min(recommended_length(longest), context)
    reason = f"the longest of {need.lengths.measured:,} measured rows has {longest:,} tokens"
    if longest > context:
        reason += f"; the model reads {context:,}"
    draft.choose("max_seq_length", planned, reason, "the dataset")
