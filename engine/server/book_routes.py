"""Open datasets: page through rows, edit, undo, save; and a row as the model gets it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from engine.data.book.look import checked
from engine.data.types import BookInfo, BookPage, BookRow, RenderedRow
from engine.errors import LoraDeckError
from engine.language import tr
from engine.models.catalog import find_model
from engine.server.book_service import Books
from engine.server.book_wire import (
    ROWS_A_PAGE,
    ChangeRequest,
    InsertRequest,
    OpenRequest,
    RenderRequest,
    SaveRequest,
)
from engine.server.context import Service
from engine.server.reach import InReach
from engine.server.wire import DatasetInfo

router = APIRouter(tags=["open datasets"])


async def _books(request: Request) -> Books:
    """Give the open datasets of the engine behind a request."""
    return cast("Books", request.app.state.books)


OpenBooks = Annotated[Books, Depends(_books)]


@router.post("/books", status_code=201)
async def open_book(books: OpenBooks, reach: InReach, body: OpenRequest) -> BookInfo:
    """Open a working copy of a dataset; its first rows are there at once."""
    return await books.open(reach.dataset(body.path), body.mapping)


@router.get("/books/{book_id}")
async def info(books: OpenBooks, book_id: str) -> BookInfo:
    """Tell its state."""
    return await books.info(book_id)


@router.get("/books/{book_id}/rows", response_model=BookPage)
async def rows(
    books: OpenBooks,
    book_id: str,
    offset: Annotated[int, Query(ge=0, le=1 << 40)] = 0,
    limit: Annotated[int, Query(ge=1, le=ROWS_A_PAGE)] = 50,
    search: Annotated[str, Query(max_length=1000)] = "",
    code: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Give some rows in order; fewer than asked for where they are very large."""
    book = books.book(book_id)
    return await _answer(lambda: book.page(offset, limit, search, code))


@router.put("/books/{book_id}/rows/{row}", response_model=BookRow)
async def change(books: OpenBooks, book_id: str, row: int, body: ChangeRequest) -> Response:
    """Give a row another value; it is checked at once."""
    book = books.book(book_id)
    return await _answer(lambda: book.change(row, body.value))


@router.post("/books/{book_id}/rows", status_code=201, response_model=BookRow)
async def insert(books: OpenBooks, book_id: str, body: InsertRequest) -> Response:
    """Put a new row behind another, or first."""
    book = books.book(book_id)
    return await _answer(lambda: book.insert(body.value, body.after), 201)


@router.delete("/books/{book_id}/rows/{row}")
async def remove(books: OpenBooks, book_id: str, row: int) -> BookInfo:
    """Delete a row."""
    await asyncio.to_thread(books.book(book_id).remove, row)
    return await books.info(book_id)


@router.post("/books/{book_id}/undo")
async def undo(books: OpenBooks, book_id: str) -> BookInfo:
    """Take back the last change."""
    await asyncio.to_thread(books.book(book_id).undo)
    return await books.info(book_id)


@router.post("/books/{book_id}/save", status_code=201)
async def save(books: OpenBooks, book_id: str, body: SaveRequest) -> DatasetInfo:
    """Write all rows to a new file in the home."""
    return await books.save(book_id, body.name)


@router.delete("/books/{book_id}", status_code=204)
async def close(books: OpenBooks, book_id: str) -> None:
    """Drop the working copy."""
    await books.close(book_id)


@router.post("/datasets/render", response_model=RenderedRow)
async def render(
    service: Service, books: OpenBooks, reach: InReach, body: RenderRequest
) -> Response:
    """Show a row as a base model gets it, with what is trained."""
    value = checked(body.value)
    model = await asyncio.to_thread(find_model, service.home, reach.model(body.model))
    if model.state != "ready" or model.path is None:
        raise LoraDeckError(
            tr("Base model not ready"),
            tr("'{name}' is not on this machine yet.", name=model.name),
            tr("Fetch it with: loradeck models pull {name}", name=model.name),
        )
    rendered = await books.renderer.render(value, body.shape, Path(model.path), body.max_length)
    return await _answer(lambda: rendered)


async def _answer(make: Any, status: int = 200) -> Response:
    """Make an answer and write it in a thread: rows may be large."""

    def written() -> str:
        value: BaseModel = make()
        return value.model_dump_json()

    content = await asyncio.to_thread(written)
    return Response(content, status_code=status, media_type="application/json")
