"""A comparison in words: the letters of the tasks, and the rows as the screen writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from screens.format import STATES, loss_words, one_line, short_name
from screens.parameters import value_words

if TYPE_CHECKING:
    from engine.results.comparison import Row
    from engine.tasks.record import TaskRecord

LETTERS = "ABCDEF"
COLOURS = ("primary", "warning", "error", "secondary", "success", "foreground")
"""Of the tasks, as the theme names them: each has its letter and its colour everywhere."""
_PATHS = ("base_model", "dataset_file")
_LOSSES = ("final_loss", "eval_loss")


def name_of(place: int, task: TaskRecord) -> Content:
    """Write a task's letter and name."""
    letter = Content.styled(LETTERS[place], f"bold ${COLOURS[place]}")
    return Content.assemble(letter, " ", one_line(task.task_name))


def written(row: Row) -> tuple[str, ...]:
    """Write a row's values, each in one line."""
    if row.group == "parameters":
        return tuple("–" if value is None else value_words(value) for value in row.values)
    if row.key == "status":
        return tuple(STATES[value].shown for value in row.values)
    if row.key in _LOSSES:
        return tuple(map(loss_words, row.values))
    words = tuple(map(one_line, row.words))
    if row.key in _PATHS:
        short = tuple(map(short_name, row.words))
        return short if len(set(short)) == len(set(words)) else words
    return words
