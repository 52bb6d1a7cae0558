"""Follows a running task: a bar on a terminal, lines in a pipe, one JSON event a line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from engine.errors import EngineUnavailableError
from engine.tasks.events import (
    Event,
    PhaseEntered,
    StepLogged,
)
from engine.tasks.progress import Progress as Figures
from engine.tasks.record import Status, TaskRecord
from engine.text import human_duration, human_left, json_text, visible
from tui.cli.event_text import describe
from tui.cli.output import print_text
from tui.cli.session import with_engine

if TYPE_CHECKING:
    from engine.server.client import EngineClient
    from engine.tasks.view import TaskView

_LINES_A_RUN = 100
JsonEvents = Annotated[bool, typer.Option("--json", help="Print one JSON event a line.")]


class _Follower(Protocol):
    """Shows events as they come."""

    def show(self, event: Event) -> None:
        """Show one event."""

    def close(self) -> None:
        """Leave the terminal in order."""


def follow_to_end(task: TaskRecord, *, json: bool) -> None:
    """Follow a task and leave with its exit status: 0 completed, 1 not, 130 interrupted."""
    try:
        ended = with_engine(lambda client: _follow(client, task, json=json))
    except KeyboardInterrupt:
        settle_interrupt(task)
        raise typer.Exit(130) from None
    raise typer.Exit(0 if ended.status is Status.COMPLETED else 1)


async def _follow(client: EngineClient, task: TaskRecord, *, json: bool) -> TaskRecord:
    """Show a task's events until it has ended, then how; gives the ended task."""
    follower, seen, ended = _choose(task, json=json), 0, None
    try:
        while ended is None or not ended.status.ended:
            try:
                async for event in client.events(task.id, after=seen):
                    follower.show(event)
                    seen = event.seq
                ended = await client.task(task.id)
            except EngineUnavailableError:
                await client.connect()  # the engine ended, the training did not
    finally:
        follower.close()
    if json:
        print_json_line({"type": "task_ended", "task": ended.model_dump(mode="json")})
    else:
        _print_end(ended)
    return ended


def settle_interrupt(task: TaskRecord) -> None:
    """After Ctrl-C: ask on a terminal whether the task goes on; without one it does."""
    name = visible(task.task_name)
    goes_on = f"'{name}' goes on. See: loradeck tasks follow {visible(task.id)}"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        typer.echo(goes_on, err=True)
        return
    question = "\nLeave the training running, or cancel it? [L/c]"
    try:
        answer = typer.prompt(question, default="l", show_default=False, err=True)
    except typer.Abort:
        answer = "l"
    if answer.strip().lower().startswith("c"):
        with_engine(lambda client: client.cancel(task.id))
        typer.echo(f"'{name}' is being cancelled.", err=True)
    else:
        typer.echo(goes_on, err=True)


def print_json_line(value: dict[str, Any]) -> None:
    """Print one JSON object on one line, at once."""
    typer.echo(json_text(value))
    sys.stdout.flush()


def _choose(task: TaskRecord, *, json: bool) -> _Follower:
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
        self._row: TaskID = self._bar.add_task("starting", total=None, figures="")

    def show(self, event: Event) -> None:
        """Move the bar, or print above it."""
        self._figures.apply(event)
        view = self._figures.view(self._task)
        if not isinstance(event, StepLogged | PhaseEntered) and (line := describe(event)):
            self._bar.console.print(visible(line))
        loss = "" if view.loss is None else f"loss {view.loss:.3f}"
        seconds = view.seconds_left
        left = "" if seconds is None else human_left(seconds, view.seconds_left_range)
        self._bar.update(
            self._row,
            description=_doing(view),
            completed=view.step,
            total=view.max_steps or None,
            figures=f"{loss}  {left}",
        )

    def close(self) -> None:
        """Let the bar stand as it is."""
        self._bar.stop()


def _doing(view: TaskView) -> str:
    """Name what the worker does now."""
    rows = f" {view.rows_encoded:,} rows" if view.rows_encoded else ""
    return f"{view.phase}{rows}" if view.phase else "starting"


def _print_end(task: TaskRecord) -> None:
    """Say how the task ended."""
    took = ""
    if task.started_at and task.completed_at:
        took = f" after {human_duration((task.completed_at - task.started_at).total_seconds())}"
    print_text(f"'{task.task_name}' is {task.status}{took}. {task.message}")
    if task.status is Status.FAILED:
        print_text(f"Log: loradeck tasks logs {task.id}")
