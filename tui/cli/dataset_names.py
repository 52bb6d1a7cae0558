"""What a user may call a dataset: a path, or the bare name of one in the home or of a sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.data.endings import is_dataset_name
from engine.models.hub import is_hub_id
from tui.cli.session import absolute

if TYPE_CHECKING:
    from engine.server.client import EngineClient

Dataset = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        show_default=False,
        help="A file (JSON, JSONL, CSV, TSV, Parquet, Arrow, text; also .gz, .zst), a folder, or "
        "the name of a dataset in the home or of a sample.",
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


def hub_id_or_path(given: str) -> str:
    """Make a path absolute; ``owner/name`` where no such file is stays what the hub calls it."""
    hub = is_hub_id(given) and not is_dataset_name(given) and not Path(given).exists()
    return given if hub else absolute(given)


def _is_path(given: str) -> bool:
    """Tell whether something lies there, or it can be meant as a path only."""
    return "/" in given or given.startswith((".", "~")) or Path(absolute(given)).exists()
