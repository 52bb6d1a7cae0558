"""Keys for what a task's screen shows: its charts, its log, its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.getters import query_one
from textual.widget import Widget

from screens.widgets.answers import Answers
from screens.widgets.charts import Charts
from screens.widgets.log_panel import LogPanel
from screens.widgets.task_log import LINES, TaskLog

if TYPE_CHECKING:
    from screens.session import Session

ZOOM_KEYS: list[BindingType] = [
    Binding("z,plus,equals_sign", "zoom(1)", "Zoom in", key_display="z", show=False,
            id="task.zoom_in", tooltip="Show half of the steps in the charts"),
    Binding("Z,minus", "zoom(-1)", "Zoom out", key_display="Z", show=False,
            id="task.zoom_out", tooltip="Show twice as many steps in the charts"),
]  # fmt: skip


class TaskLooks(Widget):
    """What can be done with the panels of a task's screen.

    To be named after the class that the screen otherwise is, so that it keeps its look.
    """

    session: Session
    task_id: str

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", key_display="/", show=False, id="task.search",
                tooltip="Search the log; n and N lead to the matches, esc ends it"),
        Binding("n", "match(1)", "Next match", show=False, id="task.next_match",
                tooltip="Show the next match in the log"),
        Binding("N", "match(-1)", "Match before", show=False, id="task.match_before",
                tooltip="Show the match before in the log"),
        Binding("G", "follow_log", "Follow", show=False, id="task.follow",
                tooltip="Go to the end of the log, and follow it"),
        Binding("e", "steps", "Steps", show=False, id="task.steps",
                tooltip="Show the log without the steps, or with them again"),
        Binding("1", "chart(1)", "Loss", show=False, id="task.chart_loss",
                tooltip="Show the loss alone"),
        Binding("2", "chart(2)", "Learning rate", show=False, id="task.chart_rate",
                tooltip="Show the learning rate alone"),
        Binding("3", "chart(3)", "Gradient norm", show=False, id="task.chart_norm",
                tooltip="Show the gradient norm alone"),
        Binding("4", "chart(4)", "Tokens a second", show=False, id="task.chart_speed",
                tooltip="Show the tokens a second alone"),
        Binding("5", "chart(0)", "All charts", show=False, id="task.charts",
                tooltip="Show all charts, where there is room"),
        *ZOOM_KEYS,
        Binding("0", "whole", "All steps", show=False, id="task.zoom_off",
                tooltip="Show all steps in the charts"),
        # Before the log, which would scroll sideways
        Binding("h,left", "pan(-1)", "Earlier", key_display="h", show=False, id="task.pan_left",
                priority=True, tooltip="Show earlier steps, while zoomed"),
        Binding("l,right", "pan(1)", "Later", key_display="l", show=False, id="task.pan_right",
                priority=True, tooltip="Show later steps, while zoomed"),
        Binding("left_square_bracket", "sample(-1)", "Sample before", key_display="[", show=False,
                id="task.sample_before", tooltip="Show what it answered earlier"),
        Binding("right_square_bracket", "sample(1)", "Next sample", key_display="]", show=False,
                id="task.next_sample", tooltip="Show what it answered later"),
    ]  # fmt: skip

    answers = query_one(Answers)
    charts = query_one(Charts)
    log_panel = query_one(LogPanel)
    log_lines = query_one(TaskLog)

    def looks(self, action: str) -> bool:
        """Tell whether a look can be taken now: there are matches, samples, a part of the steps."""
        if action == "match":
            return any(log.searching for log in self.query(TaskLog))
        if action == "sample":
            return any(answers.pages for answers in self.query(Answers))
        if action in ("pan", "whole"):
            typing = any(panel.field.has_focus for panel in self.query(LogPanel))
            return not typing and any(charts.zoom.zoomed for charts in self.query(Charts))
        return True

    def action_search(self) -> None:
        """Let the user type what to search for in the log."""
        self.log_panel.begin_search()

    def action_match(self, by: int) -> None:
        """Show another match."""
        self.log_lines.next_match(by)

    def action_follow_log(self) -> None:
        """Go to the log's end, and follow it."""
        self.log_lines.follow()

    def action_steps(self) -> None:
        """Show the events without the steps, or with them again."""
        with_steps = self.log_lines.of_worker or not self.log_lines.with_steps
        self.log_lines.show_events(with_steps=with_steps)

    @work(group="worker_log", exclusive=True, exit_on_error=False)
    async def action_worker_log(self) -> None:
        """Show the worker's own log in place of the events, or the events again."""
        log = self.log_lines
        if log.of_worker:
            log.show_events(with_steps=log.with_steps)
        else:
            log.show_worker(await self.session.client.log(self.task_id, LINES))

    def action_worker_log_of_completed(self) -> None:
        """Show the worker's own log in place of the events, or the events again."""
        self.action_worker_log()

    def action_chart(self, number: int) -> None:
        """Show one chart, or all, in sight."""
        self.charts.choose(number)
        self.charts.scroll_visible(animate=False)

    def action_zoom(self, nearer: int) -> None:
        """Show fewer steps in the charts, or more."""
        self.charts.nearer(nearer)
        self.charts.scroll_visible(animate=False)
        self.refresh_bindings()

    def action_pan(self, right: int) -> None:
        """Show other steps."""
        self.charts.pan(right)

    def action_whole(self) -> None:
        """Show all steps."""
        self.charts.whole()
        self.refresh_bindings()

    def action_sample(self, by: int) -> None:
        """Show another sample."""
        self.answers.page(by)
