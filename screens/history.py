"""All tasks: sorted, filtered and searched, and some of them compared or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static

from engine.language import mark, tr, trn
from screens.base import DeckScreen, back_binding
from screens.deleting import delete_tasks
from screens.format import STATES
from screens.history_columns import COLUMNS
from screens.history_order import HistoryOrder
from screens.layers import open_above
from screens.widgets.field import Field
from screens.widgets.history_list import HistoryList, heading
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from engine.tasks.view import TaskView
    from screens.messages import TasksChanged
    from screens.session import Session

_STATES = ("", *STATES)
COMPARED_AT_MOST = 6
_AROUND = 3
"""Cells of the screen beside the list: its border and its scroll bar."""


class HistoryScreen(DeckScreen[None]):
    """Lists every task of the home; follows the session."""

    HEADING = mark("History")
    CSS_PATH = "history.tcss"
    AUTO_FOCUS = "HistoryList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", key_display="space", id="history.mark",
                tooltip="Mark the task, or take its mark away"),
        Binding("c", "compare", "Compare", id="history.compare",
                tooltip="Compare the marked tasks: parameters, results, curves"),
        Binding("s", "sort", "Sort", id="history.sort", tooltip="Sort by the next column"),
        Binding("r", "reverse", "Reverse", show=False, id="history.reverse",
                tooltip="Reverse the order"),
        Binding("f", "filter", "State", id="history.filter",
                tooltip="Show the tasks of one state only; the next press shows another's"),
        Binding("slash", "search", "Search", show=False, id="history.search",
                tooltip="Search names, base models and datasets"),
        Binding("d", "delete", "Delete", show=False, id="history.delete",
                tooltip="Delete the marked tasks, or the one under the cursor, that have ended"),
        Binding("u", "unmark", "Unmark", show=False, id="history.unmark",
                tooltip="Take all marks away"),
        back_binding(),
    ]  # fmt: skip

    field = query_one(Field)
    table = query_one(HistoryList)
    head = query_one("#head", Static)
    box = query_one("#tasks", Vertical)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.order = HistoryOrder()
        self._told = ("", "")

    def compose_body(self) -> ComposeResult:
        """Lay out search and table."""
        with Vertical(id="search-box") as box:
            box.border_title = tr("Search  /")
            yield Field(tr("words of name, base model or dataset"), id="search")
        with Vertical(id="tasks"):
            yield Static(id="head", markup=False)
            yield HistoryList(self.session, id="table")

    def on_mount(self) -> None:
        """Show what is known."""
        self._fill()

    def on_resize(self, event: events.Resize) -> None:
        """Draw the table's head in the new width."""
        self._draw_head(event.size.width)

    # Showing

    def show_tasks(self, message: TasksChanged | None) -> None:
        """Show what changed."""
        super().show_tasks(message)
        tasks = self.session.tasks
        self.table.marks = {key: None for key in self.table.marks if key in tasks}
        if message is None:
            self._fill()
        elif self.order.take(tasks, message.changed, message.removed):
            self._show()
        else:
            for key in message.changed & self.table.items.keys():
                self.table.update_item(key, tasks[key])
            self._tell()

    def _fill(self) -> None:
        """Filter and sort all tasks, and show them."""
        self.order.fill(self.session.tasks)
        self._show()

    def _show(self) -> None:
        """Show the tasks in their order."""
        tasks = self.session.tasks
        self.table.empty = (
            tr("No task fits. f shows other states, / searches for other words.")
            if tasks
            else tr("No task yet. What you start appears here.")
        )
        self.table.show({key: tasks[key] for key in self.order.in_order()})
        self._tell()

    def _tell(self) -> None:
        """Say how many tasks are shown, which ones, and how many are marked."""
        shown, total = len(self.table.items), len(self.session.tasks)
        words = trn("{count:,} task", "{count:,} tasks", total)
        if shown < total:
            words = tr("{shown:,} of {all}", shown=shown, all=words)
        if marked := len(self.table.marks):
            words = tr("{tasks}, {marked:,} marked", tasks=words, marked=marked)
        state = self.order.state
        told = tr(STATES[state].word) if state else tr("All tasks"), words
        if self._told != told:  # drawing it draws the whole list
            self._told = told
            self.box.border_title, self.box.border_subtitle = map(Content, told)

    def _draw_head(self, width: int) -> None:
        """Draw the table's head."""
        order = self.order
        self.head.update(heading(width - _AROUND, order.sorted_by, falls=order.falls))

    # Choosing what is shown

    def action_sort(self) -> None:
        """Sort by the next column."""
        keys = list(COLUMNS)
        self._sort_by(keys[(keys.index(self.order.sorted_by) + 1) % len(keys)])

    def _sort_by(self, key: str) -> None:
        """Sort by a column."""
        self.order.sorted_by = self.table.sorted_by = key
        self.order.falls = COLUMNS[key].falls
        self._resorted()

    def action_reverse(self) -> None:
        """Reverse the order."""
        self.order.falls = not self.order.falls
        self._resorted()

    def _resorted(self) -> None:
        """Show the tasks in another order."""
        self._draw_head(self.size.width)
        self._fill()

    def action_filter(self) -> None:
        """Show the tasks of the next state."""
        at = _STATES.index(self.order.state)
        self.order.state = _STATES[(at + 1) % len(_STATES)]
        self._fill()

    def action_search(self) -> None:
        """Go to the words that are searched for."""
        self.set_focus(self.field)

    @on(Input.Changed, "#search")
    def _searched(self, event: Input.Changed) -> None:
        """Show the tasks in which the words stand, as they are typed."""
        self.order.search(event.value)
        self._fill()

    @on(Input.Submitted, "#search")
    def _found(self) -> None:
        """Go to the tasks that were found."""
        self.set_focus(self.table)

    # Doing

    @on(LineList.Chosen, "#table")
    def _chosen(self, event: LineList.Chosen) -> None:
        """Open the task's screen."""
        from screens.task import TaskScreen

        open_above(self, TaskScreen(self.session, event.key))

    def action_mark(self) -> None:
        """Mark the task under the cursor, or take its mark away, and go on to the next."""
        if self.table.cursor is not None:
            self.table.toggle(self.table.cursor)
            self.table.action_move(1)
            self._tell()

    def action_unmark(self) -> None:
        """Take all marks away."""
        self.table.marks.clear()
        self.table.refresh()
        self._tell()

    def action_compare(self) -> None:
        """Compare the marked tasks."""
        from screens.compare import CompareScreen

        marked = tuple(self.table.marks)
        if 2 <= len(marked) <= COMPARED_AT_MOST:
            open_above(self, CompareScreen(self.session, marked))
        else:
            words = tr("Mark two to six tasks with space first.")
            self.notify(words, severity="warning", markup=False)

    @work(group="delete", exclusive=True, exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the marked tasks, or else the one under the cursor, once that is confirmed."""
        chosen = self.table.marks or ([self.table.cursor] if self.table.cursor else [])
        views: list[TaskView] = [self.session.tasks[key] for key in chosen]
        ended = [view.task for view in views if view.task.status.ended]
        if ended:
            await delete_tasks(self, self.session, ended)
        elif views:
            words = tr("Only tasks that have ended can be deleted.")
            self.notify(words, severity="warning", markup=False)

    def action_back(self) -> None:
        """Go back to the list from the words, or to the screen before."""
        if self.field.has_focus:
            self.set_focus(self.table)
        else:
            self.dismiss(None)
