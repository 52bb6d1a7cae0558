"""What a user may call a dataset: a path, or the bare name of one in the home or of a sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui.cli.session import absolute

if TYPE_CHECKING:
    from engine.server.client import EngineClient

Dataset = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        show_default=False,
        help="A file or folder, or the name of a dataset in the home or of a sample.",
    ),
]


async def dataset_path(client: EngineClient, given: str) -> str:
    """Give the absolute path of a dataset: what lies at a path comes before any name.

    Raises:
        NotFoundError: Nothing of that name; the nearest names are given.
    """
    if _is_path(given):
        return absolute(given)
    return (await client.books.find(given)).path


def _is_path(given: str) -> bool:
    """Tell whether something lies there, or it can be meant as a path only."""
    return "/" in given or given.startswith((".", "~")) or Path(absolute(given)).exists()
