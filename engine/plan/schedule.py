"""Steps and epochs: the arithmetic of a run, as the Trainer will do it."""

from __future__ import annotations

import math


def steps_per_epoch(rows: int, batch_size: int, accumulation: int) -> int:
    """Count the optimizer steps of one epoch; the last, partial one counts.

    Source: transformers 5.23, ``Trainer.set_initial_training_values``.
    """
    batches = math.ceil(rows / batch_size)
    return max(1, math.ceil(batches / accumulation))


def total_steps(rows: int, batch_size: int, accumulation: int, epochs: int, max_steps: int) -> int:
    """Count the optimizer steps of a run; ``max_steps`` above 0 goes before the epochs."""
    if max_steps > 0:
        return max_steps
    return epochs * steps_per_epoch(rows, batch_size, accumulation)


def evaluation_rows(rows: int) -> int:
    """Choose how many rows to hold out (rules.md's table, ours).

    Few rows are all needed for the training: up to 30 none is held out.
    """
    if rows <= 30:
        return 0
    if rows <= 300:
        return max(5, rows // 10)
    return min(rows // 20, 500 if rows <= 20_000 else 1_000)


def recommended_length(longest: int) -> int:
    """Give the length that keeps the longest row whole, for a model that can read it."""
    return max(64, round_up(longest))


def round_up(tokens: int, multiple: int = 64) -> int:
    """Round a length up, so that it suits the matrix units."""
    return math.ceil(tokens / multiple) * multiple
