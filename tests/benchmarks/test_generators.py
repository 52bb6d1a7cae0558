"""What the benchmarks are measured on is the same each time, and no test row is trained."""

from __future__ import annotations

import json

import pytest

from benchmarks.alpaca_like import alpaca_like
from benchmarks.quality_data import CONTESTS, _asked


def test_alpaca_like_rows_are_the_same_each_time_and_all_different() -> None:
    rows = alpaca_like(200)
    assert rows == alpaca_like(200)
    assert len({json.dumps(row) for row in rows}) == 200
    assert rows != alpaca_like(200, seed=1)


@pytest.mark.parametrize("name", CONTESTS)
def test_no_test_row_asks_what_was_trained(name: str) -> None:
    split = CONTESTS[name].draw(0)
    assert split == CONTESTS[name].draw(0)
    train, test = ({_asked(row) for row in rows} for rows in (split.train, split.test))
    assert len(train) == len(split.train)
    assert not train & test
