"""Every row is in one pass; no pass is over its budget but that of a single long row."""

from __future__ import annotations

import random

import pytest

from engine.train.micro_batches import longest, split


@pytest.mark.parametrize("packed", [True, False])
def test_every_row_once_within_the_budget(packed: bool) -> None:
    chance = random.Random(0)  # noqa: S311 - no secret
    for _ in range(200):
        lengths = [chance.randint(1, 600) for _ in range(chance.randint(1, 40))]
        budget = chance.choice([64, 512, 2048])
        passes = split(lengths, budget, packed=packed)
        assert sorted(row for one in passes for row in one) == list(range(len(lengths)))
        for one in passes:
            tokens = [lengths[row] for row in one]
            cost = sum(tokens) if packed else max(tokens) * len(tokens)
            assert cost <= budget or len(one) == 1


def test_half_the_budget_takes_twice_the_passes_at_least() -> None:
    lengths = [100] * 16
    assert [len(split(lengths, budget, packed=True)) for budget in (1600, 800, 400)] == [1, 2, 4]


@pytest.mark.parametrize(
    ("budget", "rows", "packed", "chosen"),
    [
        (1000, 8, True, [900, 100]),
        (1000, 8, False, [900]),
        (2000, 2, True, [900, 700]),
        (100, 8, True, [900]),
    ],
)
def test_longest_pass(budget: int, rows: int, packed: bool, chosen: list[int]) -> None:
    lengths = [100, 900, 700, 300, 50]
    found = longest(lengths, budget, rows, packed=packed)
    assert [lengths[index] for index in found] == chosen
