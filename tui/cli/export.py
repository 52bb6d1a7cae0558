"""``loradeck export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from engine.errors import LoraDeckError
from engine.language import listed, tr
from engine.results.export.types import ExportRequest, Format, Quantization
from engine.text import visible
from tui.cli.job_start import Detach, start_and_follow
from tui.cli.output import JsonEvents
from tui.cli.session import absolute

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
            show_default="f16",
            help=f"Number format of a GGUF file: {', '.join(get_args(Quantization))}.",
        ),
    ] = "",
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
    detach: Detach = False,
    json: JsonEvents = False,
) -> None:
    """Make something of an adapter that other programs can use, and check that it speaks like it.

    The export runs in the engine: it goes on when this command or its terminal ends.
    Exit status: 0 completed, 1 failed or refused, 2 bad input, 130 interrupted.
    """
    if quantize and format_ != "gguf":
        raise LoraDeckError(
            tr("Not quantized"),
            tr("Number formats are GGUF's alone."),
            tr("--format gguf, or no --quantize."),
        )
    request = ExportRequest(
        source=adapter_source(source),
        format=one_of("--format", format_, get_args(Format)),
        quantize=one_of("--quantize", quantize.lower() or "f16", get_args(Quantization)),
        out=absolute(out) if out else "",
        force=force,
    )
    start_and_follow(lambda client: client.export(request), detach=detach, json=json)


def adapter_source(given: str) -> str:
    """Make an adapter's folder that the user typed mean the same to the engine."""
    folder = Path(given).expanduser()
    is_path = given.startswith((".", "/", "~")) or (folder / "adapter_config.json").is_file()
    return absolute(given) if is_path else given


def one_of(option: str, given: str, known: tuple[str, ...]) -> str:
    """Refuse a value that an option does not have.

    Raises:
        LoraDeckError: It does not have it.
    """
    if given not in known:
        raise LoraDeckError(
            tr("Unknown value"),
            tr("{option} has no '{value}'.", option=option, value=visible(given)),
            tr("Known: {names}.", names=listed(known)),
        )
    return given
