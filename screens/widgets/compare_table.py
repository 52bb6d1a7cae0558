"""Tasks side by side in a table drawn by lines: a column a task, as many as fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text
from textual.content import Content
from textual.message import Message

from engine.language import tr
from engine.results.comparison import GROUPS
from screens.compared_words import name_of, written
from screens.format import STATES, fitted
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.results.comparison import Row
    from engine.tasks.record import TaskRecord

BEST = "★"
_NAME = 30
_EDGES = 4
"""Cells beside the columns: the cursor's mark, the scroll bar, an arrow to the tasks beyond."""
_NARROWEST, _WIDEST = 17, 36
"""Cells of a task's column, the blank at its end included."""


class Line(NamedTuple):
    """A row, with the heading above it where it is the first of its group."""

    row: Row
    heading: str


class CompareTable(LineList["Line"]):
    """Rows in their groups; what is best in a row is marked."""

    class Scrolled(Message):
        """Other tasks are in sight, or their columns of another width."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.first = 0
        """The first task that is shown."""
        self.tasks: Sequence[TaskRecord] = ()

    def put(self, tasks: Sequence[TaskRecord], rows: Sequence[Row]) -> None:
        """Show the rows of some tasks."""
        self.tasks = tasks
        items: dict[str, Line] = {}
        group = ""
        for row in rows:
            heading = GROUPS[row.group] if row.group != group else ""
            items[f"{row.group}.{row.key}"] = Line(row, heading)
            group = row.group
        self.show(items)
        self.scroll_tasks(0)

    def scroll_tasks(self, by: int) -> None:
        """Bring other tasks into sight where not all of them fit."""
        self.first = max(0, min(self.first + by, len(self.tasks) - self._columns()[0]))
        self.refresh()
        self.post_message(self.Scrolled())

    def on_resize(self) -> None:
        """Show as many tasks as fit now."""
        super().on_resize()
        self.scroll_tasks(0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Nothing can be done with a row."""
        return action != "choose"

    def heading(self) -> Content:
        """Draw the head of the table: the tasks that are shown, and whether there are others."""
        fitting, cells = self._columns()
        last = self.first + fitting
        names = [
            name_of(place, task).truncate(cells - 1, ellipsis=True).pad_right(1)
            for place, task in enumerate(self.tasks)
        ]
        padded = [name.pad_right(cells - name.cell_length) for name in names[self.first : last]]
        before = "←" if self.first else " "
        after = "→" if last < len(self.tasks) else ""
        return Content.assemble(f"{before:>{_NAME}}  ", *padded, after)

    def height_of(self, item: Line) -> int:
        """Count the row, and its group's heading."""
        return 2 if item.heading else 1

    def head_of(self, item: Line) -> int:
        """Leave the heading unmarked."""
        return 1 if item.heading else 0

    def lines_of(self, item: Line, width: int) -> list[Text]:  # noqa: ARG002
        """Draw a row, below its group's heading."""
        row = item.row
        fitting, cells = self._columns()
        name = row.name if row.group == "parameters" else tr(row.name)
        line = Text.assemble((fitted(f"  {name}", _NAME), self.tone("dim")))
        shown = list(enumerate(written(row)))[self.first : self.first + fitting]
        for place, words in shown:
            best = place in row.best
            tone = "good" if best else _tone(row, place)
            line.append(f"{BEST} " if best else "  ", self.tone(tone))
            line.append(fitted(words, cells - 3) + " ", self.tone(tone))
        return [*([Text(tr(item.heading), self.tone("run"))] if item.heading else []), line]

    def _columns(self) -> tuple[int, int]:
        """Tell how many tasks fit, and how many cells each of them gets."""
        room = max(self.size.width - _NAME - _EDGES, _NARROWEST)
        fitting = max(1, min(len(self.tasks), room // _NARROWEST))
        return fitting, min(room // fitting, _WIDEST)


def _tone(row: Row, place: int) -> str:
    """Give a state its colour."""
    return STATES[row.values[place]].tone if row.key == "status" else "plain"
