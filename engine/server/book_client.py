"""The client's side of open datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from engine.data.types import BookInfo, BookPage, BookRow, RenderedRow
from engine.server.book_wire import (
    AddRequest,
    ChangeRequest,
    Exported,
    ExportRequest,
    FoundDataset,
    InsertRequest,
    OpenRequest,
    RenderRequest,
    SaveRequest,
)
from engine.server.wire import DatasetInfo
from engine.text import check_utf8

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from engine.data.types import Shape

_SAVE_SECONDS = 1800.0  # a gigabyte is copied


class BookClient:
    """Open datasets: page through rows, edit them, save a new version.

    Every call raises ``LoraDeckError`` with words for the user.

    Args:
        call: Sends one request (method, path, body) and gives its JSON.
    """

    def __init__(self, call: Callable[..., Awaitable[Any]]) -> None:
        self._call = call

    async def open(self, path: str, mapping: dict[str, str] | None = None) -> BookInfo:
        """Open a working copy of a dataset; ``path`` is absolute. Its first rows are there."""
        body = OpenRequest(path=path, mapping=mapping or {}).model_dump()
        return BookInfo.model_validate(await self._call("POST", "/books", body))

    async def info(self, book: str) -> BookInfo:
        """Tell an open dataset's state."""
        return BookInfo.model_validate(await self._call("GET", _book(book)))

    async def rows(
        self, book: str, *, offset: int = 0, limit: int = 50, search: str = "", code: str = ""
    ) -> BookPage:
        """Give some rows in order.

        Args:
            book: The open dataset's id.
            offset: How many matching rows to skip.
            limit: How many to give; fewer come where they are very large.
            search: Only rows with this text in a value; case does not matter.
            code: Only rows with a finding of this code; ``*`` for any.
        """
        query = urlencode(
            {"offset": offset, "limit": limit, "search": _clean(search), "code": code}
        )
        return BookPage.model_validate(await self._call("GET", f"{_book(book)}/rows?{query}"))

    async def change(self, book: str, row: int, value: dict[str, Any]) -> BookRow:
        """Give a row another value; it is checked at once."""
        body = ChangeRequest(value=value).model_dump()
        return BookRow.model_validate(await self._call("PUT", f"{_book(book)}/rows/{row}", body))

    async def insert(self, book: str, value: dict[str, Any], after: int | None) -> BookRow:
        """Put a new row behind another, or first."""
        body = InsertRequest(value=value, after=after).model_dump()
        return BookRow.model_validate(await self._call("POST", f"{_book(book)}/rows", body))

    async def remove(self, book: str, row: int) -> BookInfo:
        """Delete a row."""
        return BookInfo.model_validate(await self._call("DELETE", f"{_book(book)}/rows/{row}"))

    async def undo(self, book: str) -> BookInfo:
        """Take back the last change.

        Raises:
            ConflictError: There is none.
        """
        return BookInfo.model_validate(await self._call("POST", f"{_book(book)}/undo"))

    async def save(self, book: str, name: str = "") -> DatasetInfo:
        """Write all rows to a new file in the home; nothing is ever written over."""
        body = SaveRequest(name=name).model_dump()
        return DatasetInfo.model_validate(
            await self._call("POST", f"{_book(book)}/save", body, timeout=_SAVE_SECONDS)
        )

    async def close(self, book: str) -> None:
        """Drop the working copy, and the changes that were not saved."""
        await self._call("DELETE", _book(book))

    async def render(
        self, value: dict[str, Any], shape: Shape, model: str, max_length: int | None = None
    ) -> RenderedRow:
        """Show a row as a base model gets it, with what is trained."""
        body = RenderRequest(value=value, shape=shape, model=model, max_length=max_length)
        return RenderedRow.model_validate(
            await self._call("POST", "/datasets/render", body.model_dump())
        )

    async def find(self, name: str) -> FoundDataset:
        """Find a dataset of the home, or a sample, by its name.

        Raises:
            NotFoundError: There is none; the nearest names are given.
        """
        query = urlencode({"name": check_utf8(name)})
        return FoundDataset.model_validate(await self._call("GET", f"/datasets/find?{query}"))

    async def add(self, path: str, name: str = "") -> DatasetInfo:
        """Copy a dataset into the home."""
        body = AddRequest(path=path, name=name).model_dump()
        return DatasetInfo.model_validate(
            await self._call("POST", "/datasets/add", body, timeout=_SAVE_SECONDS)
        )

    async def export(self, request: ExportRequest) -> Exported:
        """Write a dataset to a file in another format."""
        return Exported.model_validate(
            await self._call(
                "POST", "/datasets/export", request.model_dump(), timeout=_SAVE_SECONDS
            )
        )

    async def delete(self, name: str) -> None:
        """Remove a dataset from the home."""
        await self._call("DELETE", "/datasets/" + quote(check_utf8(name), safe=""))


def _book(book: str) -> str:
    """Give the path of an open dataset."""
    return "/books/" + quote(check_utf8(book), safe="")


def _clean(search: str) -> str:
    """Replace half characters, which no query can carry."""
    return search.encode("utf-8", "replace").decode()
