"""``loradeck report``, and where a report is found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import NotFoundError
from engine.language import tr
from engine.results.report.files import load_report
from engine.results.report.markdown import report_text
from engine.results.report.types import FILE
from engine.text import visible
from tui.cli.output import Json, print_json, print_text
from tui.cli.report_text import print_report
from tui.cli.session import absolute, with_engine

if TYPE_CHECKING:
    from engine.results.report.types import Report
    from engine.server.client import EngineClient

Reference = Annotated[
    str,
    typer.Argument(
        metavar="TASK",
        show_default=False,
        help="A completed task's id, the beginning of it, or its name; or an adapter's folder.",
    ),
]


def report(
    reference: Reference,
    *,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the whole document, as in report.md.")
    ] = False,
    json: Json = False,
) -> None:
    """Show what an adapter is worth: scores and answers beside its base's, curves, advice."""
    found = with_engine(lambda client: find_report(client, reference))
    if json:
        print_json(found)
    elif markdown:
        print_text(report_text(found))
    else:
        print_report(found)


async def find_report(client: EngineClient, given: str) -> Report:
    """Read the report that lies at a path, or that of a task.

    Raises:
        LoraDeckError: There is none, or it is damaged.
    """
    return _report_at(given) or await client.report(given)


def _report_at(given: str) -> Report | None:
    """Read the report of a file or folder; ``None`` where a task is meant.

    Raises:
        LoraDeckError: There is none, or it is damaged.
    """
    path = Path(absolute(given))
    folder = path.parent if path.name == FILE else path
    if (folder / FILE).exists():
        return load_report(folder)
    if "/" not in given:
        return None
    raise NotFoundError(
        tr("No report there"),
        tr("{path} is no report, and no folder with one.", path=visible(str(path))),
        tr(
            "Give a {file}, the folder of an adapter that LoRADeck has trained, or a task.",
            file=FILE,
        ),
    )
