"""One task: its state, its charts, its log, and what the training changed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.getters import query_one

from engine.errors import EngineUnavailableError
from engine.language import tr
from engine.tasks.events import (
    AnswersCompared,
    MemoryProbed,
    SampleAnswered,
    StepLogged,
    StopTested,
    TaskCompleted,
)
from engine.text import visible
from screens.base import DeckScreen, back_binding
from screens.deleting import delete_tasks
from screens.messages import FurtherWanted
from screens.open_folder import open_folder
from screens.task_rules import allowed
from screens.widgets.answers import Answers
from screens.widgets.charts import Charts
from screens.widgets.job_strip import JobStrip
from screens.widgets.log_panel import LogPanel
from screens.widgets.result_actions import Finished, ResultActions
from screens.widgets.task_actions import PRIORITY_KEYS, TaskActions
from screens.widgets.task_log import LINES
from screens.widgets.task_looks import ZOOM_KEYS, TaskLooks
from screens.widgets.task_summary import TaskSummary

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer

    from engine.tasks.events import Event
    from engine.tasks.view import TaskView
    from screens.messages import EngineStatusChanged, TasksChanged
    from screens.session import Session

BATCH_SECONDS = 1.0
PUT_SECONDS = 1.0
LOAD_SECONDS = 2.0
_KINDS = ("memory_probed", "stop_tested", "sample_answered", "answers_compared", "task_completed")
"""Events that the screen shows however long ago they were."""


class TaskScreen(DeckScreen[None], TaskActions, ResultActions, TaskLooks):
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
        Binding("O", "open_folder", "Open folder", show=False, id="task.folder",
                tooltip="Open the folder of the adapter, or of the task; or copy its path"),
        Binding("v", "job", "Job", show=False, id="task.job",
                tooltip="Show the newest export or deployment of the task"),
        Binding("w", "worker_log", "Worker log", id="task.worker_log",
                tooltip="Show the worker's own log, or the events again"),
        Binding("w", "worker_log_of_completed", "Worker log", show=False,
                id="task.worker_log_of_completed",
                tooltip="Show the worker's log, or the events again"),
        Binding("j", "scroll(1)", "Down", show=False, id="task.down", tooltip="Scroll down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="task.up", tooltip="Scroll up"),
        # Plus and minus are a waiting task's priority, else zoom: one class has to have both
        *PRIORITY_KEYS,
        *ZOOM_KEYS,
        back_binding(),
    ]  # fmt: skip

    summary = query_one(TaskSummary)
    job_strip = query_one(JobStrip)

    def __init__(self, session: Session, task_id: str) -> None:
        super().__init__(session)
        self.task_id = task_id
        self._last_seq = 0
        self._noted = 0
        """The number of the newest event that was noted."""
        self._offered = self.allowed()
        self._stated: object = None
        self._putting: Timer | None = None

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
        """Lay out head, answers, charts and log."""
        with VerticalScroll(id="body", can_focus=False):
            yield TaskSummary(self.session, id="summary")
            yield JobStrip(self.session, self.task_id, id="job")
            yield Answers(id="answers")
            with Container(id="lower"):
                yield Charts(self.session, self.task_id, id="charts")
                yield LogPanel(id="logs")

    def on_mount(self) -> None:
        """Show the record, then follow the events."""
        if self.view is not None:
            self.summary.put(self.view)
        self.call_after_refresh(self._begin)
        self.set_interval(LOAD_SECONDS, self._look_at_machine)

    async def _begin(self) -> None:
        """Follow the events, and bring the charts in, after the first frame."""
        self._follow()
        self._look_at_machine()
        await self.charts.begin()

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
        """Take the newest events and those that come, in batches; a lost engine is waited for."""
        from contextlib import aclosing

        from screens.pump import batches

        client = self.session.client
        try:
            for event in await client.events_of(self.task_id, *_KINDS):
                self._note(event)
            source = client.events(self.task_id, after=self._last_seq, tail=LINES - 1)
            seconds = max(BATCH_SECONDS, self.session.settings.refresh_seconds)
            async with aclosing(batches(source, seconds)) as stream:
                async for events in stream:
                    self._take(events)
        except EngineUnavailableError:
            return  # the app reconnects, and on_engine_status_changed follows on

    def _take(self, events: list[Event]) -> None:
        """Show what a batch of events brought."""
        self._last_seq = events[-1].seq
        for event in events:
            self._note(event)
        self.log_lines.add(events, self.session.now().tzinfo)
        if steps := [event for event in events if isinstance(event, StepLogged)]:
            self.summary.last_step = steps[-1]
        self._put()
        self.charts.news()

    def _put(self) -> None:
        """Show the record as it is now."""
        if self._putting is not None:
            self._putting.stop()
            self._putting = None
        if self.view is not None:
            self.summary.put(self.view)

    def _put_soon(self) -> None:
        """Show it within a second: nobody reads figures that change faster."""
        if self._putting is None:
            seconds = max(PUT_SECONDS, self.session.settings.refresh_seconds)
            self._putting = self.set_timer(seconds, self._put)

    def _note(self, event: Event) -> None:
        """Show what an event tells beside its line in the log, once."""
        if event.seq <= self._noted:
            return
        match event:
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
                return
        self._noted = event.seq

    def _look_at_machine(self) -> None:
        """See how busy the machine is, while the task runs and is looked at."""
        if self.is_active and self.view is not None and self.view.task.status == "running":
            self._ask_machine()

    @work(group="machine", exclusive=True, exit_on_error=False)
    async def _ask_machine(self) -> None:
        """Ask the engine how busy the machine is."""
        try:
            self.summary.load = await self.session.client.machine_load()
        except EngineUnavailableError:
            return
        self._put_soon()

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
        if view.task.status != "running":
            self.summary.load = None
        stated = view.task.status, view.task.requested, view.task.message, view.phase
        if stated == self._stated and view.task.status == "running":
            self._put_soon()
            return
        self._stated = stated
        self._put()
        if self._offered != (offered := allowed(view)):
            self._offered = offered
            self.refresh_bindings()

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Follow on where the engine was away."""
        super().on_engine_status_changed(message)
        if self.session.status.state == "ready":
            self._follow()
            self.charts.news()
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
        return self.looks(action) and super().check_action(action, parameters)

    def action_job(self) -> None:
        """Show the newest export or deployment."""
        self.show_job(self.job_strip.job)

    @work(group="action", exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the task, once the user has confirmed it."""
        if self.view is not None:
            await delete_tasks(self, self.session, [self.view.task])

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
            self._copy(self.view.task.output_path)

    @work(group="folder", exit_on_error=False)
    async def action_open_folder(self) -> None:
        """Open the adapter's folder, or the task's; where none can be opened, copy its path."""
        if (view := self.view) is None:
            return
        ready = view.task.status == "completed"
        folder = Path(view.task.output_path) if ready else self.session.home.task(self.task_id)
        if not await asyncio.to_thread(open_folder, folder):
            self._copy(str(folder))

    def _copy(self, path: str) -> None:
        """Copy a path through the terminal, and say so."""
        self.app.copy_to_clipboard(path)
        self.notify(visible(path), title=tr("Copied"), markup=False)

    def action_scroll(self, by: int) -> None:
        """Scroll what has the focus."""
        (self.focused or self.query_one("#body")).scroll_relative(y=by, animate=False)

    def action_back(self) -> None:
        """Go back to Home."""
        self.dismiss(None)
