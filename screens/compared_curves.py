"""Which points of a task's curves are drawn, over its steps or over its epochs."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.tasks.curves import Curves


class Line(NamedTuple):
    """One task's curve; it may be empty."""

    place: int
    """Among the compared tasks: what gives it its letter and colour."""
    xs: Sequence[float]
    ys: Sequence[float]


def line_of(place: int, curves: Curves, *, evaluation: bool, epochs: bool) -> Line:
    """Give the smoothed training loss, or the loss on held-out rows."""
    if not evaluation:
        return Line(place, curves.epochs if epochs else curves.steps, curves.smooth)
    if not epochs:
        return Line(place, curves.eval_steps, curves.eval_loss)
    return Line(place, [_epoch(curves, step) for step in curves.eval_steps], curves.eval_loss)


def _epoch(curves: Curves, step: int) -> float:
    """Tell in which epoch a step was, by the nearest point that does not come before it."""
    if not curves.steps:
        return 0.0
    at = min(bisect_left(curves.steps, step), len(curves.steps) - 1)
    return curves.epochs[at] * step / curves.steps[at]
