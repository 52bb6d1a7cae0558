"""How the command line prints: JSON for programs, tables and words for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from engine.language import tr
from engine.text import json_text, visible
from tui.cli.language import speak_for_programs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.errors import LoraDeckError


def _json_option(words: str) -> Any:
    """Make an option that asks for JSON, and so for English."""
    return typer.Option("--json", callback=speak_for_programs, is_eager=True, help=words)


Json = Annotated[bool, _json_option("Print JSON and nothing else.")]
JsonEvents = Annotated[bool, _json_option("Print one JSON event a line.")]


def print_json(value: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> None:
    """Print an object, or a listing as an array, over several lines."""
    if isinstance(value, BaseModel):
        plain: Any = value.model_dump(mode="json")
    elif isinstance(value, dict):
        plain = value
    else:
        plain = [item.model_dump(mode="json") for item in value]
    typer.echo(json_text(plain, 2))


def print_json_line(value: dict[str, Any]) -> None:
    """Print one JSON object on one line, at once."""
    typer.echo(json_text(value))
    sys.stdout.flush()


def print_text(text: str) -> None:
    """Print words that may hold text from files or models."""
    typer.echo(visible(text))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns; wide characters count double, and pipes get whole lines.

    What is too long for a terminal goes on in the next line, so that all of it can be copied.
    """
    table = Table(
        *(Column(_cell(one)) for one in columns), box=None, pad_edge=False, header_style="bold"
    )
    for row in rows:
        table.add_row(*map(_cell, row))
    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 10_000)
    console.print(table)


def _cell(text: str) -> Text:
    """Make text safe, and let what is too long for its column go on in the next line."""
    return Text(visible(text), overflow="fold")


def print_error(error: LoraDeckError) -> None:
    """Print an error's title, sentence and next step on standard error."""
    words = tr("{name}: {words}", name=error.title, words=error.message)
    typer.secho(visible(words), err=True, fg="red")
    if error.hint:
        typer.echo(visible(error.hint), err=True)
