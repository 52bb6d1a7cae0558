"""Rows of a dataset, for the commands that show or edit some."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError, NotFoundError
from engine.language import tr
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.data.types import BookInfo, BookRow
    from engine.server.client import EngineClient

_WAIT = 0.1


@asynccontextmanager
async def opened(
    client: EngineClient, path: str, mapping: dict[str, str]
) -> AsyncIterator[BookInfo]:
    """Open a working copy of a dataset while the block runs."""
    info = await client.books.open(path, mapping)
    try:
        yield info
    finally:
        await client.books.close(info.id)


async def rows_from(client: EngineClient, info: BookInfo, first: int, count: int) -> list[BookRow]:
    """Read ``count`` rows from one with a number on; fewer where the dataset ends.

    Raises:
        NotFoundError: It has no such row.
        LoraDeckError: It cannot be read so far.
    """
    wanted = first + count - 1
    while not (info.complete or info.problem or info.rows >= wanted):
        await asyncio.sleep(_WAIT)
        info = await client.books.info(info.id)
    if info.rows < first:
        if info.problem:
            raise LoraDeckError(tr("Dataset could not be read"), info.problem)
        raise NotFoundError(
            tr("Row not found"),
            tr(
                "{file} has {rows:,} rows, no row {row:,}.",
                file=visible(info.path),
                rows=info.rows,
                row=first,
            ),
        )
    rows: list[BookRow] = []
    while len(rows) < count:
        left = min(count - len(rows), 500)
        page = await client.books.rows(info.id, offset=first - 1 + len(rows), limit=left)
        if not page.rows:
            break
        rows += page.rows
    return rows
