"""Options that several commands about datasets share."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.data.mapping import parse_mapping

Maps = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help="Which column holds which field: --map instruction=问题,output=答案",
    ),
]
LeaveOut = Annotated[
    bool,
    typer.Option("--leave-out", help="Train without the rows that have faults, however many."),
]


def mapping_of(given: list[str] | None) -> dict[str, str]:
    """Read what ``--map`` was given, once or several times.

    Raises:
        LoraDeckError: It is not of the form FIELD=COLUMN.
    """
    return dict(parse_mapping(",".join(given))) if given else {}
