"""Curves of a training: thinned, smoothed over every step, and true to what was trained again."""

from __future__ import annotations

import asyncio
from itertools import accumulate
from typing import TYPE_CHECKING

import pytest

from engine.tasks.curve_keeper import CurveKeeper, CurveReader
from engine.tasks.curves import CurveFold, Line
from engine.tasks.events import Evaluated, TaskStarted
from engine.tasks.journal import JOURNAL, JournalWriter
from tests.engine.tasks.journals import write_long
from tests.engine.tasks.make import step

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from engine.home import Home
    from engine.tasks.curves import Curves


def _fold(steps: Iterable[int], limit: int = 8192) -> CurveFold:
    """Fold steps whose loss is the step's number."""
    fold = CurveFold(limit)
    for number in steps:
        fold.add(Line(type="step_logged", step=number, epoch=number / 10, loss=float(number),
                      grad_norm=2.0, tokens=100, seconds=0.5))  # fmt: skip
    return fold


def _averages(losses: Iterable[float]) -> list[float]:
    """Smooth losses as it is defined."""
    weighted = accumulate(losses, lambda average, loss: 0.9 * average + 0.1 * loss, initial=0.0)
    return [value / (1 - 0.9**n) for n, value in enumerate(weighted) if n]


def test_a_short_run_is_told_step_by_step() -> None:
    curves = _fold(range(1, 6)).curves(1000)
    assert curves.steps == [1, 2, 3, 4, 5]
    assert curves.loss == [1, 2, 3, 4, 5]
    assert curves.smooth == pytest.approx(_averages([1, 2, 3, 4, 5]))
    assert curves.epochs == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert (curves.grad_norm, curves.tokens_per_second) == ([2.0] * 5, [200.0] * 5)


@pytest.mark.parametrize(("steps", "limit", "points"), [(10_000, 64, 20), (777, 8192, 10),
                                                         (5000, 100, 1000)])  # fmt: skip
def test_a_long_run_keeps_its_ends_and_its_means(steps: int, limit: int, points: int) -> None:
    fold = _fold(range(1, steps + 1), limit)
    curves = fold.curves(points)
    assert len(curves.steps) <= min(points, limit)
    assert (curves.steps[0], curves.steps[-1]) == (1, steps)
    assert curves.steps == sorted(set(curves.steps))
    smooth = _averages(range(1, steps + 1))
    for before, end, loss, smoothed in zip(
        curves.steps[:-2], curves.steps[1:-1], curves.loss[1:-1], curves.smooth[1:-1], strict=True
    ):
        assert before < loss <= end
        assert smoothed == pytest.approx(smooth[end - 1])


def test_steps_that_are_trained_again_count_once() -> None:
    fold = _fold([*range(1, 41), *range(21, 31)])
    fold.add(Line(type="evaluated", step=30, eval_loss=0.5))
    curves = fold.curves(1000)
    assert curves.steps == list(range(1, 31))
    assert curves.smooth == pytest.approx(_averages(range(1, 31)))
    fold.add(Line(type="step_logged", step=25, loss=1.0))
    assert fold.curves(1000).steps[-1] == 25
    assert fold.curves(1000).eval_steps == []
    fold.add(Line(type="step_logged", step=1, loss=7.0))
    assert (fold.curves(1000).loss, fold.curves(1000).smooth) == ([7.0], pytest.approx([7.0]))


def test_a_part_is_told_more_finely() -> None:
    fold = _fold(range(1, 5001))
    part = fold.curves(100, 2000, 2080)
    assert part.steps == list(range(2000, 2081))


def test_numbers_that_are_none_leave_no_trace(tmp_path: Path) -> None:
    lines = [
        '{"seq":1,"type":"step_logged","step":1,"loss":2.0,"grad_norm":null,"tokens":1}',
        '{"seq":2,"type":"step_logged","step":2,"loss":1e300}',
        '{"seq":3,"type":"step_logged","step":3,"loss":null}',
        '{"seq":4,"type":"step_logged","step":1e999,"loss":1}',
        '{"seq":5,"type":"from_the_future","step":{"loss":3}}',
        "not json", "\0\0\0", "[[[", "",
        '\0\0{"seq":6,"type":"step_logged","step":2,"loss":1.0,"grad_norm":4}',
        '{"seq":7,"type":"step_logged","step":3,"lo',
    ]  # fmt: skip
    (tmp_path / JOURNAL).write_text("\n".join(lines))
    curves = CurveReader(tmp_path).read_on().curves(1000)
    assert (curves.steps, curves.loss, curves.grad_norm) == ([1, 2], [2.0, 1.0], [None, 4.0])
    assert (curves.tokens_per_second, curves.last_seq) == ([0.0, 0.0], 6)


def test_a_long_journal_is_read_in_bounded_memory(tmp_path: Path) -> None:
    last = write_long(tmp_path, 3_000_000)
    fold = CurveReader(tmp_path).read_on()
    assert fold.last_seq == last
    assert len(fold._points) + len(fold._open) < 8192 + 2
    assert len(fold.curves(50).steps) == 50


async def test_who_asks_again_is_told_what_came_since(home: Home) -> None:
    folder = home.task("aa")
    folder.mkdir(parents=True)
    keeper = CurveKeeper(home)
    assert (await keeper.curves("aa", 1000)).steps == []
    writer = JournalWriter(folder)
    writer.append(TaskStarted(pid=1, device="CPU"))
    writer.append(step(1))

    async def asked() -> Curves:
        return await keeper.curves("aa", 1000)

    both = await asyncio.gather(asked(), asked())
    assert [one.steps for one in both] == [[1], [1]]
    writer.append(Evaluated(step=1, eval_loss=0.25))
    writer.append(step(2))
    again = await asked()
    assert (again.steps, again.eval_loss, again.last_seq) == ([1, 2], [0.25], 4)
    for other in "bcdefghij":
        await keeper.curves(other * 2, 1000)
    assert (await asked()) == again
    writer.close()
