"""``loradeck datasets inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.text import human_bytes
from tui.cli.output import Json, print_json, print_text
from tui.cli.session import absolute, with_engine

if TYPE_CHECKING:
    from engine.data.types import Inspection

EXAMPLE = "Example: loradeck datasets inspect rows.json --json"


def inspect(
    file: Annotated[str, typer.Argument(help="A dataset file.", show_default=False)],
    *,
    json: Json = False,
) -> None:
    """Detect a file's format and check its rows; exit status 2 if it cannot train as it is."""
    found = with_engine(lambda client: client.inspect(absolute(file)))
    if json:
        print_json(found)
    else:
        _print(found)
    if not found.can_train:
        raise typer.Exit(2)


def _print(found: Inspection) -> None:
    """Print what was found, for people."""
    print_text(
        f"{found.path}: {found.dataset_type}, {found.rows} rows, {human_bytes(found.size_bytes)}"
    )
    for finding in found.findings:
        rows = ", ".join(map(str, finding.rows)) + (
            " ..." if finding.count > len(finding.rows) else ""
        )
        print_text(f"{finding.level}: {finding.message}" + (f" (rows {rows})" if rows else ""))
        print_text(f"    {finding.hint}")
    for conversation in found.preview:
        print_text(f"row {conversation.row}")
        for message in conversation.messages:
            print_text(f"    {message.role}: {message.content}")
