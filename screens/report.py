"""What a finished training was worth: base beside adapter, curves, answers, the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import visible
from screens.base import DeckScreen, back_binding
from screens.format import one_line
from screens.report_words import (
    again_lines,
    command,
    report_curves,
    sample_lines,
    score_lines,
    verdict,
)
from screens.widgets.facts import Facts
from screens.widgets.findings import error_text
from screens.widgets.judged_answers import JudgedAnswers

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.results.report.types import Report
    from screens.messages import EngineStatusChanged
    from screens.session import Session

_FILE = "report.md"


class ReportScreen(DeckScreen[None]):
    """Shows the report of a task."""

    CSS_PATH = "report.tcss"
    AUTO_FOCUS = "#body"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,n", "page(1)", "Next answer", key_display="←→", id="report.next",
                tooltip="Show the next question and its answers"),
        Binding("left,h,N", "page(-1)", "Answer before", show=False, id="report.before",
                tooltip="Show the question before and its answers"),
        Binding("y", "copy_path", "Copy path", id="report.copy",
                tooltip="Copy the path of the report as Markdown"),
        Binding("c", "copy_command", "Copy command", id="report.command",
                tooltip="Copy the command that runs the training again"),
        Binding("j", "scroll(1)", "Down", show=False, id="report.down", tooltip="Scroll down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="report.up", tooltip="Scroll up"),
        Binding("space", "page_down", "Page down", show=False, id="report.page_down",
                tooltip="Scroll down a page"),
        Binding("g", "end(0)", "Top", show=False, id="report.top", tooltip="Go to the verdict"),
        Binding("G", "end(1)", "End", show=False, id="report.end",
                tooltip="Go to what it takes to run it again"),
        back_binding(),
    ]  # fmt: skip

    body = query_one("#body", VerticalScroll)
    answers = query_one(JudgedAnswers)

    def __init__(self, session: Session, task_id: str) -> None:
        super().__init__(session)
        self.task_id = task_id
        self.report: Report | None = None

    def heading(self) -> str:
        """Name the task."""
        view = self.session.tasks.get(self.task_id)
        words = tr("Report")
        return f"{words}  ›  {one_line(view.task.task_name)}" if view else words

    def compose_body(self) -> ComposeResult:
        """Lay out verdict, figures, curves, answers, samples and facts."""
        with VerticalScroll(id="body"):
            yield Static(tr("Reading the report…"), id="verdict", markup=False)
            with Container(id="measured"):
                yield Static(id="scores", markup=False)
                yield Vertical(id="curve")
            yield JudgedAnswers(id="answers")
            yield Facts(id="samples")
            yield Facts(id="again")

    def on_mount(self) -> None:
        """Ask for the report."""
        titles = {
            "verdict": tr("Verdict"),
            "scores": tr("Base beside adapter"),
            "curve": tr("Loss"),
            "samples": tr("The same question as it learned"),
            "again": tr("To run it again"),
        }
        for part, title in titles.items():
            self.query_one(f"#{part}").border_title = title
        self._read()

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Ask again once the engine is there."""
        super().on_engine_status_changed(message)
        if self.report is None:
            self._read()

    @work(group="report", exclusive=True, exit_on_error=False)
    async def _read(self) -> None:
        """Show the report, or why there is none."""
        if self.session.status.state != "ready":
            return
        try:
            self.report = await self.session.client.report(self.task_id)
        except LoraDeckError as error:
            self.query_one("#verdict", Static).update(error_text(error))
            return
        self._show(self.report)
        await self._draw(self.report)

    def _show(self, report: Report) -> None:
        """Show the report's words and figures."""
        self.add_class("-read")
        self._put("verdict", verdict(report))
        self._put("scores", score_lines(report))
        self.answers.put(report.answers)
        self.query_one("#samples", Facts).put(sample_lines(report))
        self.query_one("#again", Facts).put(again_lines(report))
        self.refresh_bindings()

    def _put(self, part: str, lines: list[Content]) -> None:
        """Show a part's lines."""
        self.query_one(f"#{part}", Static).update(Content("\n").join(lines))

    async def _draw(self, report: Report) -> None:
        """Draw the curves; the plot takes a third of a second to import."""
        from screens.widgets.curve_plot import CurvePlot

        curves = report_curves(report)
        area = self.query_one("#curve")
        area.display = bool(curves.steps)
        if curves.steps:
            plot = CurvePlot("loss", id="plot")
            await area.mount(plot)
            self.call_after_refresh(plot.draw, curves)

    # What the user does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer what the report has."""
        if action == "page":
            return self.report is not None and len(self.report.answers) > 1
        return action not in ("copy_path", "copy_command") or self.report is not None

    def action_page(self, by: int) -> None:
        """Show another question; where the answers are out of sight, come to them first."""
        if self.answers.region.y >= self.body.region.bottom - 4 or self.answers.region.bottom < 4:
            self.body.scroll_to_widget(self.answers, animate=False, top=True)
            return
        self.answers.page(by)

    def action_copy_path(self) -> None:
        """Copy the path of the report as Markdown through the terminal."""
        self._copy(str(self.session.home.task(self.task_id) / _FILE))

    def action_copy_command(self) -> None:
        """Copy the command that runs the training again."""
        if self.report is not None:
            self._copy(command(self.report))

    def _copy(self, words: str) -> None:
        """Copy words, and say which."""
        self.app.copy_to_clipboard(words)
        self.notify(visible(words), title=tr("Copied"), markup=False)

    def action_scroll(self, by: int) -> None:
        """Scroll."""
        self.body.scroll_relative(y=by, animate=False)

    def action_page_down(self) -> None:
        """Scroll down a page."""
        self.body.scroll_page_down(animate=False)

    def action_end(self, last: int) -> None:
        """Go to the first or the last line."""
        if last:
            self.body.scroll_end(animate=False)
        else:
            self.body.scroll_home(animate=False)

    def action_back(self) -> None:
        """Go back to the task."""
        self.dismiss(None)
