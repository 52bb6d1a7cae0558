"""One task: its state, its loss curve, its log, and what the training changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.getters import query_one
from textual.widgets import Static

from engine.errors import EngineUnavailableError
from engine.language import tr
from engine.tasks.events import (
    AnswersCompared,
    Evaluated,
    MemoryProbed,
    SampleAnswered,
    StepLogged,
    StopTested,
    TaskCompleted,
)
from engine.text import visible
from screens.base import DeckScreen, back_binding
from screens.curve import Curve
from screens.deleting import delete_tasks
from screens.messages import FurtherWanted
from screens.task_rules import allowed
from screens.widgets.answers import Answers
from screens.widgets.job_strip import JobStrip
from screens.widgets.result_actions import Finished, ResultActions
from screens.widgets.task_actions import TaskActions
from screens.widgets.task_log import LINES, TaskLog
from screens.widgets.task_summary import TaskSummary

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer

    from engine.tasks.events import Event
    from engine.tasks.view import TaskView
    from screens.messages import EngineStatusChanged, TasksChanged
    from screens.session import Session
    from screens.widgets.loss_plot import LossPlot

BATCH_SECONDS = 0.5
DRAW_SECONDS = 1.0


class TaskScreen(DeckScreen[None], TaskActions, ResultActions):
    """Follows one task's events; what it shows of the record comes from the session."""

    CSS_PATH = "task.tcss"
    AUTO_FOCUS = "#log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start_now", "Start now", id="task.start",
                tooltip="Start the waiting task before all others"),
        Binding("f", "finish", "Finish", id="task.finish",
                tooltip="End the training early and keep what it has learnt"),
        Binding("c", "chat", "Chat", id="task.chat", tooltip="Talk to the finished adapter"),
        Binding("c", "cancel", "Cancel", id="task.cancel",
                tooltip="Cancel the task, with its checkpoints or without"),
        Binding("d", "delete", "Delete", id="task.delete", tooltip="Delete the ended task"),
        Binding("d", "delete_completed", "Delete", show=False, id="task.delete_completed",
                tooltip="Delete the completed task; its adapter stays"),
        Binding("t", "further", "Train more", id="task.further",
                tooltip="Train the finished adapter further, on the same rows or others"),
        Binding("y", "copy_path", "Copy path", show=False, id="task.copy",
                tooltip="Copy the path of the finished adapter"),
        Binding("v", "job", "Job", show=False, id="task.job",
                tooltip="Show the newest export or deployment of the task"),
        Binding("w", "worker_log", "Worker log", id="task.worker_log",
                tooltip="Show the worker's own log, or the events again"),
        Binding("w", "worker_log_of_completed", "Worker log", show=False,
                id="task.worker_log_of_completed",
                tooltip="Show the worker's log, or the events again"),
        Binding("j", "scroll(1)", "Down", show=False, id="task.down", tooltip="Scroll down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="task.up", tooltip="Scroll up"),
        back_binding(),
    ]  # fmt: skip

    summary = query_one(TaskSummary)
    answers = query_one(Answers)
    log_panel = query_one(TaskLog)
    job_strip = query_one(JobStrip)

    def __init__(self, session: Session, task_id: str) -> None:
        super().__init__(session)
        self.task_id = task_id
        self.curve = Curve()
        self._last_seq = 0
        self._plot: LossPlot | None = None
        self._drawing: Timer | None = None
        self._offered = self.allowed()

    @property
    def view(self) -> TaskView | None:
        """The task as the session holds it now."""
        return self.session.tasks.get(self.task_id)

    @property
    def adapter(self) -> Finished | None:
        """The task's adapter."""
        task = self.view.task if self.view else None
        return Finished(task.id, task.task_name, task.id) if task else None

    def heading(self) -> str:
        """Name the task."""
        return self.view.task.task_name if self.view else tr("Task")

    def compose_body(self) -> ComposeResult:
        """Lay out head, answers, curve and log."""
        with VerticalScroll(id="body", can_focus=False):
            yield TaskSummary(self.session, id="summary")
            yield JobStrip(self.session, self.task_id, id="job")
            yield Answers(id="answers")
            with Vertical(id="charts"):
                with Vertical(id="curve") as curve:
                    curve.border_title = tr("Loss")
                    yield Static(tr("The curve appears with the first step."), id="no-curve")
                yield TaskLog(id="log")

    def on_mount(self) -> None:
        """Show the record, then follow the events."""
        if self.view is not None:
            self.summary.put(self.view)
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        """Bring the plot in after the first frame: it takes a third of a second to import."""
        from screens.widgets.loss_plot import LossPlot

        plot = LossPlot(id="plot")
        await self.query_one("#curve").mount(plot)
        self._plot = plot
        self._follow()

    def on_screen_resume(self) -> None:
        """Catch up, with an export that was started from here as well."""
        super().on_screen_resume()
        self.call_after_refresh(self._look_for_job)

    def _look_for_job(self) -> None:
        """See whether the task's adapter is being exported."""
        self.job_strip.look()

    # What happens

    @work(group="events", exclusive=True, exit_on_error=False)
    async def _follow(self) -> None:
        """Take the events in batches; a lost engine is waited for."""
        from contextlib import aclosing

        from screens.pump import batches

        try:
            source = self.session.client.events(self.task_id, after=self._last_seq)
            seconds = max(BATCH_SECONDS, self.session.settings.refresh_seconds)
            async with aclosing(batches(source, seconds)) as stream:
                async for events in stream:
                    self._take(events)
        except EngineUnavailableError:
            return  # the app reconnects, and on_engine_status_changed follows on
        self._draw_curve()

    def _take(self, events: list[Event]) -> None:
        """Show what a batch of events brought."""
        self._last_seq = events[-1].seq
        for event in events:
            match event:
                case StepLogged():
                    self.curve.add(event.step, event.loss)
                    self.summary.learning_rate = event.learning_rate
                case Evaluated():
                    self.curve.add_eval(event.step, event.eval_loss)
                case AnswersCompared():
                    self.answers.add(event)
                case SampleAnswered():
                    self.answers.sample(event)
                case MemoryProbed():
                    self.summary.probed = event
                case StopTested():
                    self.summary.stop_test = event
                case TaskCompleted():
                    self.summary.peak_memory = event.peak_memory
                case _:
                    pass
        self.log_panel.add(events, self.session.now().tzinfo)
        if self.view is not None:
            self.summary.put(self.view)
        self._draw_soon()

    def _draw_soon(self) -> None:
        """Draw the curve within a second: it is the dearest thing on the screen."""
        if self._drawing is None:
            self._draw_curve()
            seconds = max(DRAW_SECONDS, self.session.settings.refresh_seconds)
            self._drawing = self.set_timer(seconds, self._draw_due)

    def _draw_due(self) -> None:
        """Draw what came since."""
        self._drawing = None
        self._draw_curve()

    def _draw_curve(self) -> None:
        """Draw the curve as it is now."""
        if self._plot is not None and self.curve.steps:
            self._plot.draw(self.curve)
            self.query_one("#curve").add_class("-drawn")

    def show_tasks(self, message: TasksChanged | None) -> None:
        """Show the record as it is now; a deleted task has no screen."""
        super().show_tasks(message)
        queued = self.view is not None and self.view.task.status == "pending"
        if self.view is None:
            self.notify(tr("The task was deleted."), markup=False)
            self.dismiss(None)
        elif message is None or self.task_id in message.changed or queued:
            self._show(self.view)

    def _show(self, view: TaskView) -> None:
        """Show the record; the footer changes with what is allowed alone, since that is dear."""
        self.summary.put(view)
        if self._offered != (offered := allowed(view)):
            self._offered = offered
            self.refresh_bindings()

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Follow on where the engine was away."""
        super().on_engine_status_changed(message)
        if self.session.status.state == "ready":
            self._follow()
            self.job_strip.look()

    # What the user does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the task's state allows, and its job where it has one.

        A completed task has much to offer: its log and its deletion leave the footer to that.
        """
        if action == "job":
            return any(strip.job for strip in self.query(JobStrip))
        if action == "worker_log":
            return "worker_log_of_completed" not in self.allowed()
        return super().check_action(action, parameters)

    def action_job(self) -> None:
        """Show the newest export or deployment."""
        self.show_job(self.job_strip.job)

    @work(group="action", exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the task, once the user has confirmed it."""
        if self.view is not None:
            await delete_tasks(self.app, self.session, [self.view.task])

    def action_delete_completed(self) -> None:
        """Delete the task, once the user has confirmed it."""
        self.action_delete()

    def action_further(self) -> None:
        """Make ready to train the finished adapter further."""
        if self.view is not None:
            self.app.post_message(FurtherWanted(self.view.task))

    def action_copy_path(self) -> None:
        """Copy the adapter's path through the terminal."""
        if self.view is not None:
            path = self.view.task.output_path
            self.app.copy_to_clipboard(path)
            self.notify(visible(path), title=tr("Copied"), markup=False)

    @work(group="worker_log", exclusive=True, exit_on_error=False)
    async def action_worker_log(self) -> None:
        """Show the worker's own log in place of the events, or the events again."""
        if self.log_panel.of_worker:
            self.log_panel.show_events()
        else:
            self.log_panel.show_worker(await self.session.client.log(self.task_id, LINES))

    def action_worker_log_of_completed(self) -> None:
        """Show the worker's own log in place of the events, or the events again."""
        self.action_worker_log()

    def action_scroll(self, by: int) -> None:
        """Scroll what has the focus."""
        (self.focused or self.query_one("#body")).scroll_relative(y=by, animate=False)

    def action_back(self) -> None:
        """Go back to Home."""
        self.dismiss(None)
