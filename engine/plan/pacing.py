"""Settling what goes by the number of steps: epochs, schedule, checkpoints, early stopping."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.language import mark, tr
from engine.plan.rules import Band, epochs_for, learning_rate
from engine.plan.schedule import steps_per_epoch, total_steps
from engine.plan.sources import OURS

if TYPE_CHECKING:
    from engine.models.types import ModelShape
    from engine.plan.draft import Draft

_SAVES = 10
_SAVE_STEPS = (5, 500)
_KEPT = 2
_EVALUATION_SHARE = 0.1
"""Of the training's time, what all evaluations may cost."""
EVALUATION = 1 / 3
"""Of training's time: a forward pass without the backward one, which costs about twice it."""
_PATIENCE = 3
_ENOUGH_EVALUATIONS = 2 * _PATIENCE
"""With fewer, one unlucky measurement weighs too much."""


def choose_pace(draft: Draft, shape: ModelShape, band: Band, rows: int) -> None:
    """Settle passes, rate, schedule, checkpoints and early stopping.

    Args:
        draft: Has batch and accumulation.
        shape: The base model's.
        band: The rules for so many rows.
        rows: Training rows.
    """
    steps = _epochs(draft, band, rows)
    rate, why, source = learning_rate(shape, band)
    draft.choose("learning_rate", rate, why, source)
    _schedule(draft, band, steps)
    _checkpoints(draft, steps)
    _early_stopping(draft, steps)


def _epochs(draft: Draft, band: Band, rows: int) -> int:
    """Choose the passes over the data, and count the optimizer steps."""
    params = draft.params()
    batch, passes = params.batch_size, params.gradient_accumulation_steps
    per_epoch = steps_per_epoch(rows, batch, passes)
    planned = epochs_for(rows, per_epoch, band)
    reason = tr(
        "{rows:,} training rows: {planned} x {per_epoch:,} steps = {total:,}",
        rows=rows,
        planned=planned,
        per_epoch=per_epoch,
        total=planned * per_epoch,
    )
    source = "OpenAI cookbook"
    if band.least_steps:
        source = mark("ours, measured; OpenAI cookbook")
        reason = tr(
            "{rows:,} training rows: {planned} x {per_epoch:,} steps = {total:,}, "
            "as a model needs about {least} to learn",
            rows=rows,
            planned=planned,
            per_epoch=per_epoch,
            total=planned * per_epoch,
            least=band.least_steps,
        )
    epochs = draft.choose("num_epochs", planned, reason, source)
    limit = draft.choose(
        "max_steps", -1, tr("none: the {epochs} epochs decide", epochs=epochs), "transformers"
    )
    return total_steps(rows, batch, passes, epochs, limit)


def _schedule(draft: Draft, band: Band, steps: int) -> None:
    """Choose the learning rate's curve."""
    why = tr("falls to 0 over the {steps:,} steps", steps=steps)
    curve = draft.choose("lr_scheduler_type", "cosine", why, mark("LLaMA-Factory's examples"))
    warmup = round(band.warmup_share * steps) or min(band.warmup_steps, steps // 4)
    why = tr(
        "{warmup} of {steps:,} steps, while the optimizer learns the gradients' size",
        warmup=warmup,
        steps=steps,
    )
    if curve == "constant":
        warmup, why = 0, tr("0: a constant rate has none")
    draft.choose("warmup_steps", warmup, why, mark("ours; Axolotl's take up to 10 %"))


def _checkpoints(draft: Draft, steps: int) -> None:
    """Save and evaluate about ten times a run, less where the evaluations would cost too much."""
    params = draft.params()
    low, high = _SAVE_STEPS
    every = max(low, min(high, steps // _SAVES))
    reason = tr(
        "a crash costs at most {every} of {steps:,} steps", every=min(every, steps), steps=steps
    )
    if params.eval_rows:
        trained = steps * params.effective_batch
        affordable = _EVALUATION_SHARE * trained / (params.eval_rows * EVALUATION)
        rarest = math.ceil(steps / max(1, int(affordable)))
        if rarest > every:
            every = rarest
            reason = tr(
                "more often, {eval_rows:,} rows to evaluate would cost over 10 %",
                eval_rows=params.eval_rows,
            )
    draft.choose("save_steps", min(every, steps), reason, OURS)
    reason = tr(
        "the {kept} newest, should one be damaged; the best one is kept as well", kept=_KEPT
    )
    draft.choose("save_total_limit", _KEPT, reason, OURS)


def _early_stopping(draft: Draft, steps: int) -> None:
    """Stop a run that no longer gets better, where that can be measured often enough."""
    params = draft.params()
    evaluations = evaluation_count(steps, params.save_steps) if params.eval_rows else 0
    patience, reason = 0, tr("no rows are held out to see when it stops helping")
    if params.eval_rows:
        reason = tr(
            "{evaluations} evaluations are too few to stop by; the best checkpoint is kept",
            evaluations=evaluations,
        )
    if evaluations >= _ENOUGH_EVALUATIONS:
        patience = _PATIENCE
        reason = tr(
            "{patience} of {evaluations} evaluations without a better loss; the best is kept",
            patience=patience,
            evaluations=evaluations,
        )
    draft.choose("early_stopping_patience", patience, reason, OURS)


def evaluation_count(steps: int, save_steps: int) -> int:
    """Count a run's evaluations: one at every checkpoint, and the last at its end."""
    return math.ceil(steps / save_steps)
