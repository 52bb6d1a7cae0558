"""``loradeck export``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from engine.errors import LoraDeckError
from engine.results.export.types import ExportRequest, Format, Quantization
from engine.text import visible
from tui.cli.follow import JsonEvents
from tui.cli.job_follow import follow_job_to_end, settle_job_interrupt
from tui.cli.output import print_json_line, print_text
from tui.cli.session import absolute, with_engine

if TYPE_CHECKING:
    from engine.jobs.types import Job
    from engine.server.client import EngineClient

EXAMPLE = "Example: loradeck export my-first --format gguf --quantize q8_0"

Source = Annotated[
    str,
    typer.Argument(
        metavar="TASK",
        show_default=False,
        help="A completed task, an adapter by its name in the home, or its folder.",
    ),
]


def export(
    source: Source,
    format_: Annotated[
        str, typer.Option("--format", "-f", help=f"{', '.join(get_args(Format))}.")
    ] = "gguf",
    quantize: Annotated[
        str,
        typer.Option(
            "--quantize",
            "-q",
            help=f"Number format of a GGUF file: {', '.join(get_args(Quantization))}.",
        ),
    ] = "f16",
    out: Annotated[
        str,
        typer.Option(
            "--out", "-o", show_default=False, help="The folder to make; else the home's."
        ),
    ] = "",
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Have it although it speaks otherwise.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Start it and return.")] = False,
    json: JsonEvents = False,
) -> None:
    """Make something of an adapter that other programs can use, and check that it speaks like it.

    The export runs in the engine: it goes on when this command or its terminal ends.
    Exit status: 0 completed, 1 failed or refused, 2 bad input, 130 interrupted.
    """
    request = ExportRequest(
        source=_source(source),
        format=_one_of("--format", format_, get_args(Format)),
        quantize=_one_of("--quantize", quantize.lower(), get_args(Quantization)),
        out=absolute(out) if out else "",
        force=force,
    )
    started: list[Job] = []
    try:
        with_engine(lambda client: _start(client, request, started))
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
        print_text(f"'{job.title}' has begun. Follow it with: loradeck jobs follow {job.id}")


async def _start(client: EngineClient, request: ExportRequest, started: list[Job]) -> None:
    """Start the job; an interrupt meanwhile does not leave it unknown."""
    starting = asyncio.ensure_future(client.export(request))
    try:
        started.append(await asyncio.shield(starting))
    except asyncio.CancelledError:
        started.append(await starting)
        raise


def _source(given: str) -> str:
    """Make an adapter's folder that the user typed mean the same to the engine."""
    folder = Path(given).expanduser()
    is_path = given.startswith((".", "/", "~")) or (folder / "adapter_config.json").is_file()
    return absolute(given) if is_path else given


def _one_of(option: str, given: str, known: tuple[str, ...]) -> str:
    """Refuse a value that an option does not have.

    Raises:
        LoraDeckError: It does not have it.
    """
    if given not in known:
        raise LoraDeckError(
            "Unknown value", f"{option} has no '{visible(given)}'.", f"Known: {', '.join(known)}."
        )
    return given
