"""How long a run will take, where runs of its kind were timed on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.plan.pacing import EVALUATION, evaluation_count

if TYPE_CHECKING:
    from engine.plan.fit import Need
    from engine.plan.parameters import TrainingParams


def predicted_seconds(
    need: Need, params: TrainingParams, train_rows: int, steps: int
) -> float | None:
    """Give the seconds of training and evaluations; ``None`` where nothing was timed yet."""
    measured = need.calibrations.of(need.device, need.shape, params)
    if measured is None or measured.seconds_per_token is None:
        return None
    row = need.lengths.estimated_total / max(1, need.lengths.rows)
    passes = params.max_steps * params.effective_batch / train_rows
    epochs = passes if params.max_steps > 0 else params.num_epochs
    evaluations = evaluation_count(steps, params.save_steps) if params.eval_rows else 0
    per_eval_token = measured.eval_seconds_per_token or measured.seconds_per_token * EVALUATION
    return (
        epochs * train_rows * row * measured.seconds_per_token
        + evaluations * params.eval_rows * row * per_eval_token
    )
