"""Looking at a dataset from the screens: one way to ask, with progress, that can be broken off."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from engine.errors import EngineUnavailableError
from engine.language import listed, tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.data.types import Inspection, Scanning
    from screens.session import Session


async def look_at(
    session: Session,
    path: str,
    mapping: Mapping[str, str],
    progress: Callable[[Scanning], object],
) -> Inspection:
    """Look at a dataset; cancelling the call ends the engine's work on it.

    Raises:
        LoraDeckError: What the engine says is wrong with the file.
        EngineUnavailableError: The engine went away in the midst.
    """
    async with aclosing(session.client.scan(path, dict(mapping))) as scan:
        async for scanning in scan:
            if scanning.inspection is not None:
                return scanning.inspection
            progress(scanning)
    raise EngineUnavailableError(
        tr("Engine not reachable"),
        tr("The engine ended while it looked at the file."),
        tr("Try again."),
    )


def progress_words(scanning: Scanning) -> str:
    """Say how far a look is: ``312,000 rows looked at, 31 %``."""
    count = scanning.rows
    rows = trn("{shown} row looked at", "{shown} rows looked at", count, shown=f"{count:,}")
    if scanning.share is None:
        return rows
    return listed((rows, f"{scanning.share:.0%}".replace("%", " %")))


def rows_words(count: int) -> str:
    """Count rows: ``312,000 rows``."""
    return trn("{shown} row", "{shown} rows", count, shown=f"{count:,}")
