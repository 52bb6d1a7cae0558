"""The loss over the steps, thinned out so that a long run costs no more than a short one."""

from __future__ import annotations

import math

_LIMIT = 1024  # points kept; when they are reached, every two become one
_DECAY = 0.9


class Curve:
    """Raw and smoothed training losses, and those on held-out rows.

    The smoothed loss is an exponential moving average over all steps, divided by the weight
    it has gathered (Kingma & Ba 2014, section 3), so that it does not begin near zero.
    """

    def __init__(self) -> None:
        self.steps: list[float] = []
        self.raw: list[float] = []
        self.smooth: list[float] = []
        self.eval_steps: list[float] = []
        self.eval: list[float] = []
        self._last = 0
        self._every = 1
        self._bucket: list[tuple[int, float]] = []
        self._average = 0.0
        self._weight = 0.0

    def add(self, step: int, loss: float) -> None:
        """Take a step's loss in; a run that resumed earlier takes its later steps back."""
        if step <= self._last:
            self._rewind(step)
        self._last = step
        if not math.isfinite(loss):
            return
        self._average = _DECAY * self._average + (1 - _DECAY) * loss
        self._weight = _DECAY * self._weight + (1 - _DECAY)
        self._bucket.append((step, loss))
        if len(self._bucket) >= self._every:
            self._close_bucket()

    def add_eval(self, step: int, loss: float) -> None:
        """Take a loss on the held-out rows in."""
        if math.isfinite(loss):
            self.eval_steps.append(float(step))
            self.eval.append(loss)

    def _close_bucket(self) -> None:
        """Make a point of the steps since the last one."""
        count = len(self._bucket)
        self.steps.append(sum(step for step, _ in self._bucket) / count)
        self.raw.append(sum(loss for _, loss in self._bucket) / count)
        self.smooth.append(self._average / self._weight)
        self._bucket.clear()
        if len(self.steps) >= _LIMIT:
            self._thin()

    def _thin(self) -> None:
        """Make one point of every two."""
        self.steps = _pairs(self.steps)
        self.raw = _pairs(self.raw)
        self.smooth = self.smooth[1::2]
        self._every *= 2

    def _rewind(self, step: int) -> None:
        """Forget the points from a step on."""
        while self.steps and self.steps[-1] >= step:
            self.steps.pop()
            self.raw.pop()
            self.smooth.pop()
        while self.eval_steps and self.eval_steps[-1] >= step:
            self.eval_steps.pop()
            self.eval.pop()
        self._bucket.clear()
        if self.smooth:
            self._average = self.smooth[-1] * self._weight
        else:
            self._average = self._weight = 0.0


def _pairs(values: list[float]) -> list[float]:
    """Average every two neighbours; a last one alone is left out."""
    return [(first + second) / 2 for first, second in zip(values[::2], values[1::2], strict=False)]
