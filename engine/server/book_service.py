"""The datasets that are open, until their client closes them, the server ends, or time passes."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.data.book.book import Book
from engine.data.book.filling import Filling
from engine.data.book.saving import save
from engine.data.book.store import create
from engine.data.renderer import RowRenderer
from engine.data.types import BookInfo
from engine.errors import ConflictError, LoraDeckError, NotFoundError
from engine.language import tr
from engine.server.wire import DatasetInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.home import Home

_MOST_OPEN = 16
_UNUSED_SECONDS = 3600.0
_UNSAVED_SECONDS = 24 * 3600.0
"""After which a dataset is closed that has changes nobody saved."""
_CHECK_SECONDS = 60.0
_BEGUN = (".writing-", ".adding-", ".upload-", ".export-")
"""What names begin with under which datasets are written aside."""


@dataclass
class _Open:
    """One open dataset."""

    id: str
    path: Path
    book: Book
    filling: Filling
    used: float = field(default_factory=time.monotonic)


class Books:
    """A home's open datasets.

    Args:
        home: Keeps the working copies, and the versions that are saved.
        stopping: Gives the event that is set when the server ends.
    """

    def __init__(self, home: Home, stopping: Callable[[], asyncio.Event]) -> None:
        self._home = home
        self._folder = home.cache / "books"
        self._stopping = stopping
        self._open: dict[str, _Open] = {}
        self._keeper: asyncio.Task[None] | None = None
        self.renderer = RowRenderer()
        self._sweep()

    async def open(self, path: Path, mapping: dict[str, str]) -> BookInfo:
        """Make a working copy; wait for its first rows only.

        Raises:
            LoraDeckError: The file cannot be read, or its shape is not known; or too many are open.
        """
        await self._make_room()
        # A client that died a moment ago leaves its copy to the keeper
        self._keeper = self._keeper or asyncio.create_task(self._keep())
        book_id = secrets.token_hex(6)
        folder = self._folder / book_id
        await asyncio.to_thread(create, folder)
        try:
            filling = await Filling.start(path, folder, mapping)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        book = await asyncio.to_thread(Book, folder, filling.shape)
        self._open[book_id] = _Open(book_id, path, book, filling)
        return await self.info(book_id)

    async def info(self, book_id: str) -> BookInfo:
        """Tell the state of one."""
        one = self._find(book_id)
        report = one.filling.report
        problem = report.failure.message if report.failure else ""
        return await asyncio.to_thread(_info, one, report.complete, report.share, problem)

    async def unsaved(self) -> int:
        """Count those with changes that nobody saved."""
        books = [one.book for one in self._open.values()]
        return await asyncio.to_thread(lambda: sum(bool(book.changes()[0]) for book in books))

    def book(self, book_id: str) -> Book:
        """Find one to look into or to change.

        Raises:
            NotFoundError: It is not open.
        """
        return self._find(book_id).book

    async def save(self, book_id: str, name: str) -> DatasetInfo:
        """Write a new version, once the file is read to its end.

        Raises:
            LoraDeckError: It cannot be read to its end; or as ``engine.data.book.saving.save``.
        """
        one = self._find(book_id)
        report = await one.filling.wait()
        if report.failure is not None:
            raise LoraDeckError(
                tr("Dataset not read to its end"),
                tr(
                    "Only {rows:,} rows could be read. {reason}",
                    rows=report.rows,
                    reason=report.failure.message,
                ),
                tr("Saving would lose the others. Mend the file, then open it again."),
            )
        origin = one.path.name or "dataset"
        path, rows = await asyncio.to_thread(save, one.book, self._home.datasets, origin, name)
        one.used = time.monotonic()
        return DatasetInfo(
            name=path.name,
            path=str(path),
            size_bytes=path.stat().st_size,
            sample=False,
            dataset_type=one.book.shape.dataset_type,
            rows=rows,
        )

    async def close(self, book_id: str) -> None:
        """Remove a working copy."""
        one = self._find(book_id)
        del self._open[book_id]
        await one.filling.stop()
        await asyncio.to_thread(one.book.close)

    async def close_all(self) -> None:
        """Remove all of them."""
        while self._open:
            await self.close(next(iter(self._open)))
        await self.renderer.close()

    async def wait_closed(self) -> None:
        """Wait until all are closed, once the server ends."""
        if self._keeper is not None:
            await self._keeper
        await self.renderer.close()

    def _sweep(self) -> None:
        """Remove what an engine left that is gone: the home's lock is held, so it is nobody's."""
        shutil.rmtree(self._folder, ignore_errors=True)
        for begun in self._home.datasets.glob(".*-*"):
            if not begun.name.startswith(_BEGUN):
                continue
            if begun.is_dir():
                shutil.rmtree(begun, ignore_errors=True)
            else:
                begun.unlink(missing_ok=True)

    def _find(self, book_id: str) -> _Open:
        """Find an open dataset and note that it is used."""
        one = self._open.get(book_id)
        if one is None:
            raise NotFoundError(
                tr("Dataset not open"),
                tr(
                    "This dataset is no longer open: the engine has ended since, or it was not "
                    "used for an hour."
                ),
                tr("Open it again."),
            )
        one.used = time.monotonic()
        return one

    async def _make_room(self) -> None:
        """Close the one unused the longest where many are open; refuse where all have changes."""
        if len(self._open) < _MOST_OPEN:
            return
        for one in sorted(self._open.values(), key=lambda one: one.used):
            if not one.book.changes()[0]:
                await self.close(one.id)
                return
        raise ConflictError(
            tr("Too many open datasets"),
            tr("{count} datasets with changes are open.", count=_MOST_OPEN),
            tr("Save or close one of them."),
        )

    async def _keep(self) -> None:
        """Close what nobody uses, and everything when the server ends."""
        try:
            while not self._stopping().is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_CHECK_SECONDS):
                        await self._stopping().wait()
                await self.close_unused(time.monotonic())
            await self.close_all()
        finally:
            # Also where the loop is torn down: nothing may be waited for then
            for one in self._open.values():
                shutil.rmtree(one.book.folder, ignore_errors=True)

    async def close_unused(self, now: float) -> None:
        """Close what was not used for an hour, or a day where changes would be lost."""
        for one in list(self._open.values()):
            unused = now - one.used
            if unused > _UNUSED_SECONDS and (
                unused > _UNSAVED_SECONDS or not one.book.changes()[0]
            ):
                with contextlib.suppress(NotFoundError):  # its client was quicker
                    await self.close(one.id)


def _info(one: _Open, complete: bool, share: float | None, problem: str) -> BookInfo:
    """Collect what is told of a book."""
    changes, last_change = one.book.changes()
    return BookInfo(
        id=one.id,
        path=str(one.path),
        shape=one.book.shape,
        rows=one.book.count(),
        changes=changes,
        last_change=last_change,
        codes=one.book.codes(),
        complete=complete,
        share=share,
        unreadable=one.book.unreadable(),
        problem=problem,
    )
