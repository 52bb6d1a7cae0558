"""How a followed task is shown: a bar on a terminal, lines in a pipe, one JSON event a line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from engine.language import tr, trn
from engine.tasks.events import (
    Event,
    PhaseEntered,
    StepLogged,
    TaskCompleted,
    TaskFailed,
    TaskStarted,
)
from engine.tasks.progress import Progress as Figures
from engine.tasks.record import Status, TaskRecord
from engine.text import human_left, visible
from screens.format import STATES, sign_of
from tui.cli.event_text import describe
from tui.cli.output import print_json_line, print_text

if TYPE_CHECKING:
    from engine.tasks.view import TaskView

_LINES_A_RUN = 100


class Follower(Protocol):
    """Shows events as they come."""

    def show(self, event: Event) -> None:
        """Show one event."""

    def tell(self, task: TaskRecord) -> None:
        """Say what state the task has come into."""

    def close(self) -> None:
        """Leave the terminal in order."""


def waiting_words(task: TaskRecord) -> str:
    """Say that a task waits, for what, and how it goes on; empty where it does not wait."""
    if task.status not in (Status.PENDING, Status.PAUSED):
        return ""
    if task.status is Status.PENDING:
        return _queued(task)
    words = _paused(task)
    if task.waits_for_disk:
        return words
    return f"{words} {tr('Resume it with: loradeck tasks resume {id}', id=task.id)}"


def _queued(task: TaskRecord) -> str:
    """Say that a task is to start yet, and what for it waits."""
    told = {"name": task.task_name, "why": task.message}
    if task.message:
        return tr("'{name}' waits in the queue: {why}", **told)
    return tr("'{name}' waits in the queue.", **told)


def _paused(task: TaskRecord) -> str:
    """Say that a task is paused, and why."""
    told = {"name": task.task_name, "why": task.message}
    if task.message:
        return tr("'{name}' is paused: {why}", **told)
    return tr("'{name}' is paused.", **told)


def choose_follower(task: TaskRecord, *, json: bool) -> Follower:
    """Take the follower that fits where the output goes."""
    if json:
        return _JsonLines()
    if sys.stdout.isatty():
        return _Bar(task)
    return _PlainLines()


class _JsonLines:
    """One JSON event a line."""

    def show(self, event: Event) -> None:
        """Print an event."""
        print_json_line(event.model_dump(mode="json"))

    def tell(self, task: TaskRecord) -> None:
        """Print nothing: scripts ask for the record."""

    def close(self) -> None:
        """Nothing is open."""


class _PlainLines:
    """Plain lines; of a long run only every so many steps."""

    def show(self, event: Event) -> None:
        """Print an event, unless it is a step between two that are printed."""
        if isinstance(event, StepLogged) and event.step not in (1, event.max_steps):
            stride = max(1, event.max_steps // _LINES_A_RUN)
            if event.step % stride:
                return
        if line := describe(event):
            print_text(line)
            sys.stdout.flush()

    def tell(self, task: TaskRecord) -> None:
        """Print that the task waits."""
        if line := waiting_words(task):
            print_text(line)
            sys.stdout.flush()

    def close(self) -> None:
        """Nothing is open."""


class _Bar:
    """A progress bar with loss and time left; other events scroll by above it."""

    def __init__(self, task: TaskRecord) -> None:
        self._figures, self._task = Figures(), task
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
        )
        self._bar = Progress(*columns, console=Console(markup=False, highlight=False))
        self._bar.start()
        self._row: TaskID = self._bar.add_task(tr("starting"), total=None, figures="")

    def show(self, event: Event) -> None:
        """Move the bar, or print above it."""
        self._figures.apply(event)
        if isinstance(event, TaskStarted):
            self._task = self._task.model_copy(update={"status": Status.RUNNING})
        if not isinstance(event, StepLogged | PhaseEntered) and (line := describe(event)):
            self._bar.console.print(visible(line))
        self._draw()

    def tell(self, task: TaskRecord) -> None:
        """Print that the task waits, and let the bar say so."""
        self._task = task
        if line := waiting_words(task):
            self._bar.console.print(visible(line))
        self._draw()

    def _draw(self) -> None:
        """Draw the bar as the task is now; what does not run has no figures but its steps."""
        view = self._figures.view(self._task)
        running = view.task.status is Status.RUNNING
        loss = tr("loss {loss:.3f}", loss=view.loss) if running and view.loss is not None else ""
        seconds = view.seconds_left
        left = "" if seconds is None else human_left(seconds, view.seconds_left_range)
        self._bar.update(
            self._row,
            description=self._doing(view),
            completed=view.step,
            total=view.max_steps or None,
            figures=f"{loss}  {left}",
        )

    def _doing(self, view: TaskView) -> str:
        """Name what the worker does now, or the task's state where none has it."""
        if view.phase:
            rows = view.rows_encoded
            shown = [trn("{count:,} row", "{count:,} rows", rows)] if rows else []
            return " ".join([tr(view.phase), *shown])
        state = sign_of(view).word
        if state != STATES["running"].word:
            return tr(state)
        ending = isinstance(self._figures.outcome, TaskCompleted | TaskFailed)
        return tr("ending") if ending else tr("starting")

    def close(self) -> None:
        """Let the bar stand as it is."""
        self._bar.stop()
