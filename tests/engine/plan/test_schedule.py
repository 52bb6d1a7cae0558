"""Steps and held-out rows."""

from __future__ import annotations

from itertools import product

import pytest

from engine.plan.schedule import evaluation_rows, total_steps


@pytest.mark.parametrize(
    ("rows", "batch", "accumulation"), product((1, 5, 16, 17, 31, 33), (1, 2, 4), (1, 3, 8))
)
def test_steps_are_those_that_a_loop_makes(rows: int, batch: int, accumulation: int) -> None:
    batches = len(range(0, rows, batch))
    steps = len(range(0, batches, accumulation))
    assert total_steps(rows, batch, accumulation, 3, -1) == 3 * steps
    assert total_steps(rows, batch, accumulation, 3, 7) == 7


@pytest.mark.parametrize(
    ("rows", "held_out"),
    [
        (1, 0),
        (30, 0),
        (31, 5),
        (60, 6),
        (300, 30),
        (301, 15),
        (3_000, 150),
        (20_000, 500),
        (20_001, 1_000),
        (10**6, 1_000),
    ],
)
def test_held_out_rows(rows: int, held_out: int) -> None:
    assert evaluation_rows(rows) == held_out
