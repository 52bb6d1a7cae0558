"""What the history tells of each task: a column's heading, its value to sort by, and its words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from engine.language import mark
from engine.text import human_duration
from screens.format import STATES, loss_words, moment_words, one_line, short_name, sign_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from engine.tasks.view import TaskView

    Value = float | str | None

_PLACES = {state: place for place, state in enumerate(STATES)}


class Column(NamedTuple):
    """One column; a width of 0 shares what the others leave."""

    heading: str
    width: int
    needs: int
    """Cells of the list from which on it is shown; the one that is sorted by always is."""
    value: Callable[[TaskView], Value]
    words: Callable[[TaskView, datetime], str]
    falls: bool = False
    """Whether the greatest value comes first until that is reversed; so it does for times."""
    right: bool = False
    """Whether its words stand at its right edge."""


def when(view: TaskView) -> datetime:
    """Tell when a task ended; before that, when it was begun or made."""
    task = view.task
    return task.completed_at or task.started_at or task.created_at


def _loss(view: TaskView) -> float | None:
    """Give the final loss, or that of the newest step."""
    return view.loss if view.task.final_loss is None else view.task.final_loss


def _finite(value: float | None) -> Value:
    """Leave out what is no number: nothing can be sorted by it."""
    return value if value is not None and math.isfinite(value) else None


def _model(view: TaskView) -> str:
    """Name a task's base model."""
    return short_name(view.task.base_model)


def _dataset(view: TaskView) -> str:
    """Name a task's dataset."""
    return short_name(view.task.dataset_file)


def _state(view: TaskView, _: datetime) -> str:
    """Write a task's state."""
    return sign_of(view).shown


def _epochs(view: TaskView, _: datetime) -> str:
    """Write how often a task has seen its rows."""
    return f"{view.task.current_epoch:.1f}" if view.task.current_epoch else "–"


def _seconds(view: TaskView, _: datetime) -> str:
    """Write how long a task took."""
    seconds = view.task.seconds
    return "–" if seconds is None else human_duration(seconds)


COLUMNS: dict[str, Column] = {
    "state": Column(mark("state"), 12, 0, lambda view: _PLACES[view.task.status], _state),
    "name": Column(mark("name"), 0, 0, lambda view: view.task.task_name.casefold(),
                   lambda view, _: one_line(view.task.task_name)),
    "model": Column(mark("base model"), 0, 0, lambda view: _model(view).casefold(),
                    lambda view, _: _model(view)),
    "dataset": Column(mark("dataset"), 0, 100, lambda view: _dataset(view).casefold(),
                      lambda view, _: _dataset(view)),
    "epochs": Column(mark("epochs"), 9, 130, lambda view: view.task.current_epoch or None,
                     _epochs, falls=True, right=True),
    "loss": Column(mark("loss"), 8, 0, lambda view: _finite(_loss(view)),
                   lambda view, _: loss_words(_loss(view)), right=True),
    "eval_loss": Column(mark("eval loss"), 12, 130, lambda view: _finite(view.task.eval_loss),
                        lambda view, _: loss_words(view.task.eval_loss), right=True),
    "seconds": Column(mark("duration"), 13, 90, lambda view: view.task.seconds,
                      _seconds, falls=True, right=True),
    "when": Column(mark("when"), 8, 0, lambda view: when(view).timestamp(),
                   lambda view, now: moment_words(when(view), now), falls=True, right=True),
}  # fmt: skip
"""All columns, by what they are sorted by; in their order."""


def shown(width: int, sorted_by: str) -> dict[str, int]:
    """Choose the columns of a list so wide, and give each one's width."""
    keys = [key for key, one in COLUMNS.items() if width >= one.needs or key == sorted_by]
    room = width - sum(COLUMNS[key].width for key in keys)
    sharing = [key for key in keys if not COLUMNS[key].width]
    share = max(room, 0) // (len(sharing) + 1)  # the name, which tells them apart, gets two
    widths = {key: COLUMNS[key].width or share for key in keys}
    return widths | {"name": max(room, 0) - share * (len(sharing) - 1)}
