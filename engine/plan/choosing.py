"""Settling the parameters one after the other; later ones follow earlier ones and overrides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import mark, tr
from engine.plan import checks
from engine.plan.batching import choose_batch
from engine.plan.numerics import choose_attention, choose_constants, choose_format
from engine.plan.pacing import choose_pace
from engine.plan.rules import Band, band_for
from engine.plan.schedule import evaluation_rows, recommended_length
from engine.plan.sources import MEASURED, OURS, REGRET

if TYPE_CHECKING:
    from engine.plan.draft import Draft
    from engine.plan.fit import Need


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
    reason = tr("{rows} rows: up to 30 are all needed for the training", rows=rows)
    if planned:
        reason = tr(
            "{rows:,} rows: {share:.0%} are held out to see when it stops helping",
            rows=rows,
            share=planned / rows,
        )
    held_out = draft.choose("eval_rows", planned, reason, OURS)
    checks.refuse_impossible_split(rows, held_out)
    return held_out


def _adapter(draft: Draft, band: Band, rows: int) -> None:
    """Choose the adapter's size by the data."""
    why = tr("{rows:,} training rows: {rank} hold them", rows=rows, rank=band.rank)
    rank = draft.choose("lora_rank", band.rank, why, REGRET)
    why = tr("twice the rank of {rank}, as is usual", rank=rank)
    draft.choose("lora_alpha", min(2 * rank, 4096), why, mark("LLaMA-Factory's default"))
    why = tr("0: costs a quarter of the speed, and gains little")
    draft.choose("lora_dropout", 0.0, why, MEASURED)
    why = tr("every linear layer: the attention's alone learn less")
    draft.choose("target_modules", "all-linear", why, REGRET)


def _length(draft: Draft, need: Need) -> None:
    """Choose the length by the longest row and the model's context."""
    longest, context = need.lengths.longest, need.shape.context
    planned = min(recommended_length(longest), context)
    reason = tr(
        "the longest of {measured:,} measured rows has {longest:,} tokens",
        measured=need.lengths.measured,
        longest=longest,
    )
    if longest > context:
        reason = tr(
            "the longest of {measured:,} measured rows has {longest:,} tokens; "
            "the model reads {context:,}",
            measured=need.lengths.measured,
            longest=longest,
            context=context,
        )
    draft.choose("max_seq_length", planned, reason, mark("the dataset"))
