"""The figures of a training over its steps, thinned so that a long run costs as a short one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
from pydantic import BaseModel, ConfigDict

from engine.tasks.journal_file import LARGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = 8192
"""Points that are kept of a task; when they are reached, every two become one."""
_DECAY = 0.9
_INSTANT = 1e-9
"""Seconds; a step that took less says nothing about its pace."""


class Curves(BaseModel):
    """A training's figures; the first lists have one entry a point, the last two one a measure."""

    model_config = ConfigDict(frozen=True)

    steps: list[int] = []
    """The last optimizer step of each point, which stands for all since the point before."""
    epochs: list[float] = []
    loss: list[float] = []
    """Averaged over the point's steps."""
    smooth: list[float] = []
    """Exponential moving average over all steps, with a decay of 0.9, at the point's end."""
    learning_rate: list[float] = []
    grad_norm: list[float | None] = []
    """Averaged; ``None`` where no step has one."""
    tokens_per_second: list[float] = []
    eval_steps: list[int] = []
    eval_loss: list[float] = []
    """On the held-out rows."""
    last_seq: int = 0
    """Of the newest event counted in."""


class Line(msgspec.Struct, gc=False):
    """What curves take of a journal's line, of whatever kind; and a point of them."""

    seq: int = 0
    type: str = ""
    step: int = 0
    epoch: float = 0.0
    loss: float = 0.0
    learning_rate: float = 0.0
    grad_norm: float | None = None
    tokens: float = 0.0
    seconds: float = 0.0
    eval_loss: float = 0.0
    smooth: float = 0.0


class CurveFold:
    """Folds a training's events into points.

    The smoothed loss is an exponential moving average over all steps, divided by the weight
    it has gathered (Kingma & Ba 2014, section 3), so that it does not begin near zero.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.last_seq = 0
        self._limit = limit
        self._points: list[Line] = []
        self._evals: list[Line] = []
        self._every = 1
        self._open: list[Line] = []
        """The steps since the last point."""
        self._last = 0
        self._average = self._weight = 0.0

    def add(self, line: Line) -> None:
        """Take an event in; a run that resumed earlier takes its later steps back."""
        self.last_seq = max(self.last_seq, line.seq)
        if not _sound(line):
            return
        if line.type == "step_logged":
            self._step(line)
        elif line.type == "evaluated":
            self._evals.append(line)
            if len(self._evals) >= self._limit:
                self._evals = self._evals[1::2]

    def curves(self, points: int, first: int = 0, last: int | None = None) -> Curves:
        """Give the curves between two steps in at most so many points, three or more; ends kept."""
        end = self._last if last is None else last
        there = [one for one in (*self._points, *self._open) if first <= one.step <= end]
        shown = _thinned(there, points)
        evals = [one for one in self._evals if first <= one.step <= end]
        evals = evals[:: -(-len(evals) // points) or 1]
        return Curves(
            steps=[one.step for one in shown],
            epochs=[one.epoch for one in shown],
            loss=[one.loss for one in shown],
            smooth=[one.smooth for one in shown],
            learning_rate=[one.learning_rate for one in shown],
            grad_norm=[one.grad_norm for one in shown],
            tokens_per_second=[_speed(one) for one in shown],
            eval_steps=[one.step for one in evals],
            eval_loss=[one.eval_loss for one in evals],
            last_seq=self.last_seq,
        )

    def _step(self, step: Line) -> None:
        """Take a step in."""
        if step.step <= self._last:
            self._rewind(step.step)
        self._last = step.step
        self._average = _DECAY * self._average + (1 - _DECAY) * step.loss
        self._weight = _DECAY * self._weight + (1 - _DECAY)
        step.smooth = self._average / self._weight
        self._open.append(step)
        # The first step stays a point of its own, whatever becomes of the rest
        if len(self._open) >= self._every or not self._points:
            self._points.append(merged(self._open))
            self._open.clear()
            if len(self._points) >= self._limit:
                self._points = [self._points[0], *_by(2, self._points[1:])]
                self._every *= 2

    def _rewind(self, step: int) -> None:
        """Forget the points from a step on."""
        for lines in (self._open, self._points, self._evals):
            while lines and lines[-1].step >= step:
                lines.pop()
        closed = 1 + (len(self._points) - 1) * self._every if self._points else 0
        self._weight = 1 - _DECAY ** (closed + len(self._open))
        smooth = before[-1].smooth if (before := self._open or self._points) else 0.0
        self._average = self._weight * smooth


def merged(lines: Sequence[Line]) -> Line:
    """Make one point of some in a row: averages, and of what only moves on the last."""
    last = lines[-1]
    if len(lines) == 1:
        return last
    norms = [one.grad_norm for one in lines if one.grad_norm is not None]
    return Line(
        step=last.step,
        epoch=last.epoch,
        loss=sum(one.loss for one in lines) / len(lines),
        smooth=last.smooth,
        learning_rate=last.learning_rate,
        grad_norm=sum(norms) / len(norms) if norms else None,
        tokens=sum(one.tokens for one in lines),
        seconds=sum(one.seconds for one in lines),
    )


def _thinned(lines: Sequence[Line], points: int) -> Sequence[Line]:
    """Make at most so many points, the first and the last of them as they are."""
    if len(lines) <= points:
        return lines
    middle = lines[1:-1]
    count = points - 2
    borders = [index * len(middle) // count for index in range(count + 1)]
    return [lines[0], *(merged(middle[low:high]) for low, high in pairwise(borders)), lines[-1]]


def _by(size: int, lines: Sequence[Line]) -> list[Line]:
    """Make a point of every so many."""
    return [merged(lines[start : start + size]) for start in range(0, len(lines), size)]


def _speed(line: Line) -> float:
    """Give a point's tokens a second."""
    return line.tokens / line.seconds if line.seconds > _INSTANT else 0.0


def _sound(line: Line) -> bool:
    """Tell whether sums of such lines stay numbers; a damaged line can say anything."""
    steps = abs(line.loss) + abs(line.epoch) + abs(line.learning_rate) + abs(line.grad_norm or 0.0)
    return steps + abs(line.tokens) + abs(line.seconds) + abs(line.eval_loss) < LARGEST
