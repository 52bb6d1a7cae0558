"""An open dataset as a screen uses it: the rows that match a search and a filter, page by page."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from engine.data.types import BookInfo, BookPage, BookRow
from engine.errors import LoraDeckError
from screens.widgets.row_list import PAGE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from engine.server.book_client import BookClient
    from engine.server.wire import DatasetInfo
    from screens.session import Session

ANY = "*"
"""In place of a finding's code: any of them."""


class OpenBook:
    """One open dataset; ``search`` and ``code`` say which of its rows are looked at."""

    def __init__(self, session: Session, info: BookInfo) -> None:
        self._session = session
        self.info = info
        self.search = ""
        self.code = ""

    @classmethod
    async def open(cls, session: Session, path: str, mapping: Mapping[str, str]) -> OpenBook:
        """Open a dataset.

        Raises:
            LoraDeckError: It cannot be read.
        """
        return cls(session, await session.client.books.open(path, dict(mapping) or None))

    @property
    def _client(self) -> BookClient:
        """The engine's part that holds it."""
        return self._session.client.books

    @property
    def narrowed(self) -> bool:
        """Tell whether not all rows are looked at."""
        return bool(self.search or self.code)

    async def page(self, index: int) -> BookPage:
        """Give a page of the rows that match, filled up: an answer may hold fewer large rows."""
        rows: list[BookRow] = []
        while True:
            part = await self._client.rows(
                self.info.id, offset=index * PAGE + len(rows), limit=PAGE - len(rows),
                search=self.search, code=self.code,
            )  # fmt: skip
            rows += part.rows
            left = min(part.total - index * PAGE, PAGE) - len(rows)
            if left <= 0 or not part.rows:
                return BookPage(offset=index * PAGE, total=part.total, rows=tuple(rows))

    async def refresh(self) -> BookInfo:
        """Ask for its state."""
        self.info = await self._client.info(self.info.id)
        return self.info

    async def change(self, row: BookRow, value: dict[str, Any]) -> BookRow:
        """Give a row another value."""
        changed = await self._client.change(self.info.id, row.id, value)
        await self.refresh()
        return changed

    async def insert(self, value: dict[str, Any], after: BookRow | None) -> BookRow:
        """Put a new row behind another one, or first."""
        made = await self._client.insert(self.info.id, value, after.id if after else None)
        await self.refresh()
        return made

    async def remove(self, row: BookRow) -> None:
        """Delete a row."""
        self.info = await self._client.remove(self.info.id, row.id)

    async def undo(self) -> None:
        """Take the last change back."""
        self.info = await self._client.undo(self.info.id)

    async def save(self, name: str) -> DatasetInfo:
        """Write a new version."""
        saved = await self._client.save(self.info.id, name)
        await self.refresh()
        return saved

    async def close(self) -> None:
        """Drop it; an engine that is away has dropped it already."""
        with suppress(LoraDeckError):
            await self._client.close(self.info.id)

    def next_code(self) -> str:
        """Give the filter after the present one: any finding, each code, then none."""
        codes = ["", *([ANY] if self.info.codes else []), *self.info.codes]
        place = codes.index(self.code) if self.code in codes else -1
        return codes[(place + 1) % len(codes)]

    async def free_name(self) -> str:
        """Propose a name for a new version."""
        taken = {one.name for one in await self._session.client.datasets() if not one.sample}
        return next_version(self.info.path, taken)


def next_version(path: str, taken: Collection[str]) -> str:
    """Name the version after those that there are: ``rows.v2.jsonl``."""
    name = PurePath(path).name
    stem = name.split(".", 1)[0] if not name.startswith(".") else name
    stem = re.sub(r"\.v\d+$", "", stem) or "dataset"
    number = 2
    while f"{stem}.v{number}.jsonl" in taken:
        number += 1
    return f"{stem}.v{number}.jsonl"
