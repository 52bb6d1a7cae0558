"""Tasks as a table drawn by lines, with marks on some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType

from engine.language import tr
from screens.format import fitted, sign_of
from screens.history_columns import COLUMNS, shown
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from engine.tasks.view import TaskView
    from screens.session import Session

_MARK = "◆ "
_EDGE = 2
"""Cells that a line leaves free at its right."""


class HistoryList(LineList["TaskView"]):
    """The tasks of the history, a line each."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Open", key_display="enter", id="history.open",
                tooltip="Open the task's screen"),
    ]  # fmt: skip

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._session = session
        self.sorted_by = "when"
        self.marks: dict[str, None] = {}
        """Ids of the marked tasks, in the order of marking."""

    def lines_of(self, item: TaskView, width: int) -> list[Text]:
        """Draw a task."""
        now = self._session.now()
        marked = item.task.id in self.marks
        line = Text.assemble((_MARK if marked else "  ", self.tone("warn")))
        for key, cells in shown(width - len(_MARK), self.sorted_by).items():
            tone = sign_of(item).tone if key == "state" else "plain" if key == "name" else "dim"
            line.append(_cell(key, COLUMNS[key].words(item, now), cells), self.tone(tone))
        return [line]

    def toggle(self, key: str) -> None:
        """Mark a task, or take its mark away."""
        if key in self.marks:
            del self.marks[key]
        else:
            self.marks[key] = None
        self.redraw(key)


def heading(width: int, sorted_by: str, *, falls: bool) -> Text:
    """Draw the head of a list so wide, with an arrow at the column that it is sorted by."""
    line = Text(" " * (len(_MARK) + 1))
    for key, cells in shown(width - _EDGE - len(_MARK), sorted_by).items():
        words, style = tr(COLUMNS[key].heading), ""
        if key == sorted_by:
            words, style = f"{words} {'↓' if falls else '↑'}", "bold"
        line.append(_cell(key, words, cells), style)
    return line


def _cell(key: str, words: str, cells: int) -> str:
    """Put words into a column, with a blank between it and the next."""
    if COLUMNS[key].right:
        return (
            " " * (cells - cell_len(words)) + words
            if cell_len(words) < cells
            else fitted(words, cells)
        )
    return fitted(words, cells - 1) + " "
