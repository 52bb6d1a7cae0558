"""The losses of a training as curves, and what they tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from engine.results.report.types import Point, SampleThen

if TYPE_CHECKING:
    from collections.abc import Sequence

Overfitting = Literal["none", "slight", "strong", "unknown"]
SAMPLE = "sample_answer"
"""What the trainer's history calls the answer to the sample's question after so many steps."""
_MOST_POINTS = 300
_SMOOTHED, _MOST_SMOOTHED = 1 / 20, 0.9
"""Share of a curve that is averaged, and how much of what was before a point may count at most."""
_SLIGHT, _STRONG = 0.03, 0.15
"""Share of its lowest value by which the held-out loss has risen again."""
_MEMORISED = 0.4
"""Share of the held-out loss below which that of the training rows is learned by heart."""


def train_curve(history: Sequence[dict[str, Any]]) -> tuple[Point, ...]:
    """Take the loss of each step from a trainer's history; of many steps, means of a few each."""
    points = [Point(step=one["step"], loss=one["loss"]) for one in history if "loss" in one]
    size = -(-len(points) // _MOST_POINTS) or 1
    return tuple(_mean(points[at : at + size]) for at in range(0, len(points), size))


def eval_curve(history: Sequence[dict[str, Any]]) -> tuple[Point, ...]:
    """Take the held-out losses from a trainer's history; of many, every so many and the lowest."""
    points = [
        Point(step=one["step"], loss=one["eval_loss"]) for one in history if "eval_loss" in one
    ]
    size = -(-len(points) // _MOST_POINTS) or 1
    kept = {*range(0, len(points), size), len(points) - 1}
    if points:
        kept.add(points.index(lowest(points)))
    return tuple(point for at, point in enumerate(points) if at in kept)


def samples(history: Sequence[dict[str, Any]]) -> tuple[SampleThen, ...]:
    """Take the sample's answers from a trainer's history."""
    return tuple(
        SampleThen(step=one["step"], epoch=one["epoch"], answer=one[SAMPLE])
        for one in history
        if SAMPLE in one
    )


def lowest(points: Sequence[Point]) -> Point:
    """Give the first of the lowest points."""
    return min(points, key=lambda point: point.loss)


def smoothed(points: Sequence[Point]) -> list[Point]:
    """Average each loss with those before it, which count less the further back they lie."""
    kept = min(_MOST_SMOOTHED, 1 - 2 / (max(1.0, _SMOOTHED * len(points)) + 1))
    mean = weight = 0.0
    smooth = []
    for point in points:
        mean = kept * mean + (1 - kept) * point.loss
        weight = kept * weight + (1 - kept)
        smooth.append(Point(step=point.step, loss=mean / weight))
    return smooth


def overfitting(train: Sequence[Point], held_out: Sequence[Point]) -> Overfitting:
    """Tell how far a training learned its rows rather than what they are about.

    It did where the held-out loss rises from its lowest point while that of the training goes on
    falling, and where the training rows are known far better than others.
    """
    if len(held_out) < 2 or not train:
        return "unknown"
    smooth = smoothed(train)
    falling = smooth[-1].loss < _at(smooth, lowest(held_out).step)
    if has_risen(held_out) and falling:
        return "strong" if _rise(held_out) > _STRONG else "slight"
    return "slight" if smooth[-1].loss < _MEMORISED * held_out[-1].loss else "none"


def has_risen(held_out: Sequence[Point]) -> bool:
    """Tell whether the held-out loss ended clearly above its lowest point."""
    return len(held_out) > 1 and _rise(held_out) > _SLIGHT


def is_falling(held_out: Sequence[Point]) -> bool:
    """Tell whether the held-out loss still fell by more than a hundredth at the end."""
    if len(held_out) < 2:
        return False
    before, last = held_out[-2:]
    return last == lowest(held_out) and last.loss < 0.99 * before.loss


def _rise(held_out: Sequence[Point]) -> float:
    """Give the share of its lowest value by which the held-out loss has risen again."""
    best = lowest(held_out).loss
    return (held_out[-1].loss - best) / max(best, 1e-9)


def _at(points: Sequence[Point], step: int) -> float:
    """Give the loss at a step, or at the next point."""
    return next((point.loss for point in points if point.step >= step), points[-1].loss)


def _mean(points: Sequence[Point]) -> Point:
    """Put points into one, at their last step."""
    return Point(step=points[-1].step, loss=sum(one.loss for one in points) / len(points))
