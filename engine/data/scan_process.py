"""Inspect datasets in a process of its own, which a hostile file can neither stall nor bloat."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.child_process import ADDRESS_SPACE, DATA, ChildDiedError, ask
from engine.data.child_wire import Request
from engine.data.scan_cache import ScanCache
from engine.data.types import Scanning
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from engine.data.types import Inspection

STALL = 60.0
"""Seconds without a report after which a scan is given up."""


async def inspect_in_process(
    home_cache: Path, path: Path, mapping: Mapping[str, str] | None = None
) -> AsyncGenerator[Scanning, None]:
    """Scan a dataset, reporting every 0.3 s; closing this iterator ends the process.

    What was looked at before comes at once, as the one report.

    Args:
        home_cache: The home's cache folder.
        path: A file or folder.
        mapping: Which column holds which field, where the user said so.

    Raises:
        LoraDeckError: The file as a whole cannot be used; or a limit of time or memory was met.
    """
    found = await asyncio.to_thread(ScanCache(home_cache).find_file, path, mapping)
    if found is not None:
        yield Scanning(rows=found.rows, share=1.0, findings=found.findings, inspection=found)
        return
    request = Request(
        do="inspect",
        path=str(path),
        mapping=dict(mapping) if mapping else None,
        cache=str(home_cache),
        address_space=ADDRESS_SPACE,
        data=DATA,
    )
    ended = False
    try:
        async with aclosing(ask(request, STALL)) as lines:
            async for line in lines:
                if line.failure is not None:
                    raise line.failure.error()
                if line.scanning is not None:
                    ended = line.scanning.inspection is not None
                    yield line.scanning
    except ChildDiedError as error:
        raise _gave_up(path, str(error)) from None
    if not ended:
        raise _gave_up(path, tr("gave no answer"))


async def inspect_whole(
    home_cache: Path, path: Path, mapping: Mapping[str, str] | None = None
) -> Inspection:
    """Wait for a scan's result.

    Raises:
        LoraDeckError: As ``inspect_in_process``.
    """
    async with aclosing(inspect_in_process(home_cache, path, mapping)) as steps:
        async for step in steps:
            if step.inspection is not None:
                return step.inspection
    raise AssertionError("a scan ends with an inspection or an error")


async def survey(
    home_cache: Path, paths: Sequence[Path]
) -> AsyncGenerator[tuple[Path, Inspection | LoraDeckError], None]:
    """Inspect small files one after the other in one process, and give each as it is done."""
    request = Request(
        do="survey",
        paths=list(map(str, paths)),
        cache=str(home_cache),
        address_space=ADDRESS_SPACE,
        data=DATA,
    )
    try:
        async with aclosing(ask(request, STALL)) as lines:
            async for line in lines:
                if line.failure is not None:
                    yield Path(line.path), line.failure.error()
                elif line.scanning is not None and line.scanning.inspection is not None:
                    yield Path(line.path), line.scanning.inspection
    except ChildDiedError:
        return


def _gave_up(path: Path, reason: str) -> LoraDeckError:
    """Say that the dataset could not be looked at."""
    return LoraDeckError(
        tr("Dataset could not be read"),
        tr("Reading {path} {reason}.", path=shown(path), reason=reason),
        tr(
            "The file may be damaged, or a row in it far too long: split the longest "
            "rows, or write the file anew."
        ),
    )
