"""What ``loradeck tasks`` does with a task: pause, resume, finish, cancel, start, move."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from engine.language import tr
from engine.tasks.queue import Where
from tui.cli.output import Json, print_json, print_text
from tui.cli.session import with_engine

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from engine.server.client import EngineClient
    from engine.tasks.record import TaskRecord

Reference = Annotated[
    str,
    typer.Argument(
        metavar="ID", show_default=False, help="A task's id, the beginning of it, or its name."
    ),
]


def pause(reference: Reference, *, json: Json = False) -> None:
    """Pause a running task at its next step, or hold a pending one back.

    Its process ends, so that the memory is free.
    """
    _do(lambda client: client.pause(reference), json=json)


def resume(reference: Reference, *, json: Json = False) -> None:
    """Let a paused, failed or cancelled task go on from its newest checkpoint."""
    _do(lambda client: client.resume(reference), json=json)


def finish(reference: Reference, *, json: Json = False) -> None:
    """End a training early and keep what it has learned as the result."""
    _do(lambda client: client.finish(reference), json=json)


def cancel(
    reference: Reference,
    *,
    drop: Annotated[
        bool, typer.Option("--drop", help="Remove its checkpoints: it cannot go on from them.")
    ] = False,
    json: Json = False,
) -> None:
    """End a task without a result: a running one at its next step."""
    _do(lambda client: client.cancel(reference, keep=not drop), json=json)


def start(
    reference: Reference,
    *,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Even though its memory is not free.")
    ] = False,
    json: Json = False,
) -> None:
    """Start a waiting task now, before all others and beside those that run."""
    _do(lambda client: client.start(reference, anyway=anyway), json=json)


def move(
    reference: Reference,
    where: Annotated[Where, typer.Argument(show_default=False, help="Where to in the queue.")],
    *,
    json: Json = False,
) -> None:
    """Move a pending task among those of its priority."""
    _do(lambda client: client.move(reference, where), json=json)


def priority(
    reference: Reference,
    number: Annotated[
        int,
        typer.Argument(metavar="NUMBER", min=-100, max=100, show_default=False, help="Usual is 0."),
    ],
    *,
    json: Json = False,
) -> None:
    """Let a task that is to start yet go before those of a lower priority."""
    _do(lambda client: client.prioritize(reference, number), json=json)


def _do(act: Callable[[EngineClient], Awaitable[TaskRecord]], *, json: bool) -> None:
    """Do something with a task, and say what became of it."""
    task = with_engine(act)
    if json:
        print_json(task)
    else:
        told = {"name": task.task_name, "state": tr(task.status), "why": task.message}
        why = tr("'{name}' is {state}: {why}", **told)
        print_text(why if task.message else tr("'{name}' is {state}.", **told))


_COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (pause, "loradeck tasks pause my-first"),
    (resume, "loradeck tasks resume my-first"),
    (finish, "loradeck tasks finish my-first"),
    (cancel, "loradeck tasks cancel my-first --drop"),
    (start, "loradeck tasks start my-first"),
    (move, "loradeck tasks move my-first up"),
    (priority, "loradeck tasks priority my-first 10"),
)


def add_to(app: typer.Typer) -> None:
    """Add the commands, each with its example."""
    for command, example in _COMMANDS:
        app.command(epilog=f"Example: {example}")(command)
