"""The curves of a training as a picture: one SVG that reads on light and on dark paper.

Lines, ticks and a legend are all it needs; libraries for charts bring ten times as much to keep.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from engine.results.report.curves import lowest, smoothed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.results.report.types import Point

CHART = "loss.svg"
"""The picture beside a report."""
_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 34, 40
_TICKS = 6
_STYLE = """
text { font: 12px sans-serif; fill: #57606a }
.grid { stroke: #d0d7de; stroke-width: 1 }
.raw, .train, .eval { fill: none; stroke-linejoin: round }
.raw { stroke: #0969da; stroke-width: 1; opacity: .35 }
.train { stroke: #0969da; stroke-width: 2 }
.eval { stroke: #bc4c00; stroke-width: 2 }
.dot { fill: #bc4c00 }
.best { fill: none; stroke: #bc4c00; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 } .grid { stroke: #3d444d }
.raw, .train { stroke: #58a6ff } .eval, .best { stroke: #f0883e } .dot { fill: #f0883e }
}
"""


class _Frame(NamedTuple):
    """What part of the plane is drawn."""

    steps: tuple[float, float]
    losses: tuple[float, float]

    def x(self, step: float) -> float:
        """Give where a step lies."""
        low, high = self.steps
        return _LEFT + (step - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, loss: float) -> float:
        """Give where a loss lies."""
        low, high = self.losses
        return _TOP + (high - loss) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)


def draw_losses(train: Sequence[Point], held_out: Sequence[Point]) -> str:
    """Draw the losses over the steps: of the training as they are and smoothed, and held-out ones.

    Args:
        train: At least one point.
        held_out: The lowest of them is marked.
    """
    frame = _frame([*train, *held_out])
    drawn = [*_axes(frame), _line(frame, train, "raw"), _line(frame, smoothed(train), "train")]
    drawn += _legend(held_out)
    if held_out:
        drawn += [_line(frame, held_out, "eval"), *_marks(frame, held_out)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="Loss over the steps">\n<style>{_STYLE}</style>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def _frame(points: Sequence[Point]) -> _Frame:
    """Choose what is drawn, so that all points lie in it."""
    steps, losses = [one.step for one in points], [one.loss for one in points]
    room = 0.05 * (max(losses) - min(losses)) or 0.5
    last = max(steps) if max(steps) > min(steps) else min(steps) + 1
    return _Frame((min(steps), last), (max(0.0, min(losses) - room), max(losses) + room))


def _line(frame: _Frame, points: Sequence[Point], kind: str) -> str:
    """Draw points as one line."""
    places = " ".join(f"{frame.x(one.step):.1f},{frame.y(one.loss):.1f}" for one in points)
    return f'<polyline class="{kind}" points="{places}"/>'


def _marks(frame: _Frame, held_out: Sequence[Point]) -> Iterator[str]:
    """Draw the held-out losses as dots, and a ring around the lowest."""
    for one in held_out:
        x, y = frame.x(one.step), frame.y(one.loss)
        yield f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
    best = lowest(held_out)
    x, y = frame.x(best.step), frame.y(best.loss)
    yield f'<circle class="best" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'


def _axes(frame: _Frame) -> Iterator[str]:
    """Draw ticks at round numbers."""
    for loss in _ticks(*frame.losses):
        y = frame.y(loss)
        yield f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{loss:.4g}</text>'
    for step in _ticks(*frame.steps):
        if step == int(step):
            x, y = frame.x(step), _HEIGHT - _BOTTOM + 18
            yield f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{int(step)}</text>'
    yield f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 6}" text-anchor="end">step</text>'


def _ticks(low: float, high: float) -> Iterator[float]:
    """Give round numbers within a range: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    size = next(one * power for one in (1, 2, 5, 10) if one * power >= rough)
    for number in range(math.ceil(low / size), math.floor(high / size) + 1):
        yield round(number * size, 10)


def _legend(held_out: Sequence[Point]) -> Iterator[str]:
    """Say which line is which, and where the ring is."""
    kinds = [("raw", "training", 0), ("train", "smoothed", 110)]
    if held_out:
        best = lowest(held_out)
        words = f"held-out, lowest at step {best.step:,}: {best.loss:.3f}"
        kinds.append(("eval", words, 220))
    for kind, words, place in kinds:
        x = _LEFT + place
        yield f'<polyline class="{kind}" points="{x},16 {x + 24},16"/>'
        yield f'<text x="{x + 30}" y="20">{words}</text>'
