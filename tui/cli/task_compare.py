"""``loradeck tasks compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import LoraDeckError
from engine.language import tr
from engine.results.comparison import GROUPS, compare
from engine.server.comparing import look_up
from tui.cli.output import Json, print_json, print_table
from tui.cli.session import with_engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.results.comparison import Compared, Row
    from engine.server.client import EngineClient

References = Annotated[
    list[str],
    typer.Argument(
        metavar="ID ID…",
        show_default=False,
        help="Two tasks or more: ids, the beginnings of them, or names.",
    ),
]


def compare_tasks(
    references: References,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="All parameters, not only those that differ.")
    ] = False,
    json: Json = False,
) -> None:
    """Set tasks side by side: the parameters that differ, their data, results, time and memory.

    A * marks the best. Losses are marked only among tasks of one dataset and one base model.
    """
    found = with_engine(lambda client: _look_up(client, references))
    rows = [row for row in compare(found) if everything or row.told]
    if json:
        print_json(
            {
                "tasks": [one.task.model_dump(mode="json") for one in found],
                "rows": [row.model_dump(mode="json", exclude={"name", "words"}) for row in rows],
            }
        )
    else:
        print_table(("", *(one.task.task_name for one in found)), _lines(rows, len(found)))


async def _look_up(client: EngineClient, references: Sequence[str]) -> list[Compared]:
    """Find the tasks, each of them once.

    Raises:
        LoraDeckError: There is none of that name, or fewer than two are left.
    """
    found = {one.task.id: one for one in [await look_up(client, name) for name in references]}
    if len(found) < 2:
        raise LoraDeckError(
            tr("Nothing to compare"),
            tr("It takes two tasks or more."),
            tr("Name them: loradeck tasks compare first second"),
        )
    return list(found.values())


def _lines(rows: Sequence[Row], tasks: int) -> Iterator[tuple[str, ...]]:
    """Write the rows under the headings of their groups."""
    group = ""
    for row in rows:
        if row.group != group:
            group = row.group
            yield tr(GROUPS[row.group]), *[""] * tasks
        name = row.name if row.group == "parameters" else tr(row.name)
        cells = (words + " *" * (place in row.best) for place, words in enumerate(row.words))
        yield f"  {name}", *cells
