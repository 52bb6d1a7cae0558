"""A few tasks side by side: in what they differ, what they came to, and their loss curves."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.errors import EngineUnavailableError, NotFoundError
from engine.language import mark, tr
from engine.results.comparison import Compared, alike, compare
from engine.server.comparing import look_up
from screens.base import DeckScreen, back_binding
from screens.compared_curves import line_of
from screens.compared_words import name_of
from screens.format import packed
from screens.widgets.compare_table import CompareTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.timer import Timer

    from engine.tasks.curves import Curves
    from screens.messages import EngineStatusChanged, TasksChanged
    from screens.session import Session
    from screens.widgets.compared_plot import ComparedPlot

DRAW_SECONDS = 2.0
_AROUND = 4
"""Cells of the screen beside a panel's words: its border and its padding."""
_NAME = 32
"""Cells of a name beside the curves at most."""
_TITLES = {
    (False, False): mark("Training loss by step"),
    (False, True): mark("Training loss by epoch"),
    (True, False): mark("Evaluation loss by step"),
    (True, True): mark("Evaluation loss by epoch"),
}


class CompareScreen(DeckScreen[None]):
    """Compares tasks; where there is little room, table and curves take turns."""

    HEADING = mark("Compare")
    CSS_PATH = "compare.tcss"
    AUTO_FOCUS = "CompareTable"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]  # noqa: RUF012 - the base declares the type
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "all", "All rows", id="compare.all",
                tooltip="Show all parameters, or only those that differ"),
        Binding("v", "view", "Curves", id="compare.view",
                tooltip="Show the curves in place of the table, or the table again"),
        Binding("e", "evaluation", "Evaluation", id="compare.evaluation",
                tooltip="Draw the evaluation loss, or the training loss again"),
        Binding("x", "axis", "Axis", id="compare.axis",
                tooltip="Draw over the epochs, or over the steps again"),
        Binding("right,l", "scroll(1)", "Tasks", key_display="←→", id="compare.right",
                tooltip="Bring the next task into sight"),
        Binding("left,h", "scroll(-1)", "Left", show=False, id="compare.left",
                tooltip="Bring the task before into sight"),
        back_binding(),
    ]  # fmt: skip

    table = query_one(CompareTable)
    head = query_one("#head", Static)
    legend = query_one("#legend", Static)
    none = query_one("#no-curve", Static)

    def __init__(self, session: Session, ids: Sequence[str]) -> None:
        super().__init__(session)
        views = (session.tasks[key] for key in ids)
        self.tasks = {view.task.id: Compared(task=view.task) for view in views}
        self.curves: dict[str, Curves] = {}
        self.everything = self.evaluation = self.epochs = False
        """Whether all parameters are shown, and what is drawn over what."""
        self._plot: ComparedPlot | None = None
        self._drawing: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out table and curves."""
        with Vertical(id="compared"):
            yield Static(id="head", markup=False)
            yield CompareTable(id="table")
        with Vertical(id="curves"):
            yield Static(id="legend", markup=False)
            yield Static(tr("Reading the curves…"), id="no-curve", markup=False)

    def on_mount(self) -> None:
        """Show what the records say, then ask for the rest."""
        self._show()
        self._look_up()
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        """Bring the plot in after the first frame: it takes a third of a second to import."""
        from screens.widgets.compared_plot import ComparedPlot

        plot = ComparedPlot(id="plot")
        await self.query_one("#curves").mount(plot)
        self._plot = plot
        self._read_curves()

    @on(CompareTable.Scrolled)
    def _show_names(self) -> None:
        """Show whose the columns are that are in sight, and whose the curves."""
        self.head.update(self.table.heading())
        names = [
            name_of(place, one.task).truncate(_NAME, ellipsis=True)
            for place, one in enumerate(self.tasks.values())
        ]
        self.legend.update(Content("\n").join(packed(names, self.size.width - _AROUND)))

    # Asking

    @work(group="compare", exclusive=True, exit_on_error=False)
    async def _look_up(self) -> None:
        """Ask for reports and plans; without the engine, the records have to do."""
        if self.session.status.state != "ready":
            return
        try:
            for key in list(self.tasks):
                with suppress(NotFoundError):  # deleted meanwhile: the session tells of it
                    found = await look_up(self.session.client, key)
                    if key in self.tasks:
                        self.tasks[key] = found
        except EngineUnavailableError:
            return  # the app reconnects, and on_engine_status_changed asks again
        self._show()

    @work(group="curves", exclusive=True, exit_on_error=False)
    async def _read_curves(self) -> None:
        """Ask for the curves, and draw them."""
        if self.session.status.state != "ready":
            return
        try:
            for key in list(self.tasks):
                with suppress(NotFoundError):
                    self.curves[key] = await self.session.client.curves(key)
        except EngineUnavailableError:
            return
        self._draw()

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Ask again where the engine was away."""
        super().on_engine_status_changed(message)
        self._look_up()
        self._read_curves()

    # Showing

    def show_tasks(self, message: TasksChanged | None) -> None:
        """Show the records as they are now; of a deleted task nothing stays."""
        super().show_tasks(message)
        tasks = self.session.tasks
        if gone := self.tasks.keys() - tasks.keys():
            for key in gone:
                del self.tasks[key]
            self._draw()
        if len(self.tasks) < 2:
            self.notify(tr("There is nothing left to compare: tasks were deleted."), markup=False)
            self.dismiss(None)
            return
        moved = [key for key, one in self.tasks.items() if tasks[key].task != one.task]
        for key in moved:
            self.tasks[key] = self.tasks[key].model_copy(update={"task": tasks[key].task})
        if moved or gone:
            self._show()
        if moved and self._drawing is None:
            self._drawing = self.set_timer(DRAW_SECONDS, self._catch_up)

    def _catch_up(self) -> None:
        """Ask for what came since: the next steps of a running task, or its report."""
        self._drawing = None
        self._look_up()
        self._read_curves()

    def _show(self) -> None:
        """Show the table."""
        compared = list(self.tasks.values())
        rows = [row for row in compare(compared) if self.everything or row.told]
        self.table.put([one.task for one in compared], rows)
        box = self.query_one("#compared")
        box.border_title = tr("All parameters") if self.everything else tr("What differs")
        box.border_subtitle = (
            tr("★ the best")
            if alike(compared)
            else tr("★ the best; losses of other data or models are not compared")
        )

    def _draw(self) -> None:
        """Draw the curves."""
        if self._plot is None:
            return
        lines = [
            line_of(place, self.curves[key], evaluation=self.evaluation, epochs=self.epochs)
            for place, key in enumerate(self.tasks)
            if key in self.curves
        ]
        box = self.query_one("#curves")
        box.border_title = tr(_TITLES[self.evaluation, self.epochs])
        box.set_class(any(line.xs for line in lines), "-drawn")
        self.none.update(
            tr("None of these tasks was evaluated on held-out rows.")
            if self.evaluation
            else tr("None of these tasks has made a step.")
        )
        self._plot.draw(lines)

    # What the user does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Table and curves take turns only where both do not fit."""
        return action != "view" or self.has_class("-short")

    def action_all(self) -> None:
        """Show all parameters, or only those that differ."""
        self.everything = not self.everything
        self._show()

    def action_view(self) -> None:
        """Show the curves in place of the table, or the table again."""
        self.toggle_class("-curves")

    def action_evaluation(self) -> None:
        """Draw the evaluation loss, or the training loss again."""
        self.evaluation = not self.evaluation
        self._to_curves()

    def action_axis(self) -> None:
        """Draw over the epochs, or over the steps again."""
        self.epochs = not self.epochs
        self._to_curves()

    def _to_curves(self) -> None:
        """Draw the curves otherwise, where they can be seen."""
        self.add_class("-curves")
        self._draw()

    def action_scroll(self, by: int) -> None:
        """Bring other tasks into sight."""
        self.table.scroll_tasks(by)

    def action_back(self) -> None:
        """Go back to the history."""
        self.dismiss(None)
