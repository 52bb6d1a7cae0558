"""Starts an export or a deployment from a command, and follows it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from engine.language import tr
from tui.cli.job_follow import follow_job_to_end, settle_job_interrupt
from tui.cli.output import print_json_line, print_text
from tui.cli.session import with_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from engine.jobs.types import Job
    from engine.server.client import EngineClient

    Begin = Callable[[EngineClient], Coroutine[None, None, Job]]

Detach = Annotated[bool, typer.Option("--detach", "-d", help="Start it and return.")]


def start_and_follow(begin: Begin, *, detach: bool, json: bool) -> None:
    """Start a job and follow it to its end, unless only the start is wanted."""
    started: list[Job] = []
    try:
        with_engine(lambda client: _start(begin(client), started))
    except KeyboardInterrupt:
        if started:
            settle_job_interrupt(started[0])
        raise typer.Exit(130) from None
    job = started[0]
    if not detach:
        follow_job_to_end(job, json=json)
    elif json:
        print_json_line(job.model_dump(mode="json"))
    else:
        told = {"title": job.title, "id": job.id}
        print_text(tr("'{title}' has begun. Follow it with: loradeck jobs follow {id}", **told))


async def _start(beginning: Coroutine[None, None, Job], started: list[Job]) -> None:
    """Start the job; an interrupt meanwhile does not leave it unknown."""
    starting = asyncio.ensure_future(beginning)
    try:
        started.append(await asyncio.shield(starting))
    except asyncio.CancelledError:
        started.append(await starting)
        raise
