"""Looking at a dataset from the screens: one way to ask, with progress, that can be broken off."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from engine.errors import EngineUnavailableError

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
        "Engine not reachable", "The engine ended while it looked at the file.", "Try again."
    )


def progress_words(scanning: Scanning) -> str:
    """Say how far a look is: ``312,000 rows looked at, 31 %``."""
    rows = f"{scanning.rows:,} row{'' if scanning.rows == 1 else 's'} looked at"
    return rows if scanning.share is None else f"{rows}, {scanning.share:.0%}".replace("%", " %")
