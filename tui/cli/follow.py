"""Follows a task to its end, through pauses and an engine that goes away."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from engine.errors import EngineUnavailableError
from engine.language import tr
from engine.tasks.record import Status, TaskRecord
from engine.text import human_duration, visible
from tui.cli.followers import choose_follower
from tui.cli.output import print_json_line, print_text
from tui.cli.session import with_engine

if TYPE_CHECKING:
    from engine.server.client import EngineClient
    from tui.cli.followers import Follower

_RETRY_SECONDS = 0.5


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
    follower, seen, ended = choose_follower(task, json=json), 0, None
    states = asyncio.create_task(_tell_states(client, task.id, follower))
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
        states.cancel()
        await asyncio.wait([states])
        if ended is not None:
            follower.tell(ended)
        follower.close()
    if json:
        print_json_line({"type": "task_ended", "task": ended.model_dump(mode="json")})
    else:
        _print_end(ended)
    return ended


async def _tell_states(client: EngineClient, task_id: str, follower: Follower) -> None:
    """Tell the follower what state the task comes into; its events do not say that it waits."""
    told: TaskRecord | None = None
    while True:
        with suppress(EngineUnavailableError):
            async for update in client.watch():
                for view in update.views:
                    if view.task.id == task_id and _differs(view.task, told):
                        told = view.task
                        follower.tell(told)
        await asyncio.sleep(_RETRY_SECONDS)  # who follows the events brings the engine back


def _differs(task: TaskRecord, told: TaskRecord | None) -> bool:
    """Tell whether a task's state or words are others than was told."""
    return told is None or (task.status, task.message) != (told.status, told.message)


def settle_interrupt(task: TaskRecord) -> None:
    """After Ctrl-C: ask on a terminal whether the task goes on; without one it does."""
    name = visible(task.task_name)
    goes_on = tr(
        "'{name}' goes on. See: loradeck tasks follow {id}", name=name, id=visible(task.id)
    )
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        typer.echo(goes_on, err=True)
        return
    question = "\n" + tr("Leave the training running, or cancel it? [L/c]")
    try:
        answer = typer.prompt(question, default="l", show_default=False, err=True)
    except typer.Abort:
        answer = "l"
    if answer.strip().lower().startswith("c"):
        with_engine(lambda client: client.cancel(task.id))
        typer.echo(tr("'{name}' is being cancelled.", name=name), err=True)
    else:
        typer.echo(goes_on, err=True)


def _print_end(task: TaskRecord) -> None:
    """Say how the task ended."""
    told = {"name": task.task_name, "state": tr(task.status), "message": task.message}
    if task.started_at and task.completed_at:
        took = human_duration((task.completed_at - task.started_at).total_seconds())
        print_text(tr("'{name}' is {state} after {time}. {message}", time=took, **told))
    else:
        print_text(tr("'{name}' is {state}. {message}", **told))
    if task.status is Status.FAILED:
        print_text(tr("Log: loradeck tasks logs {id}", id=task.id))
