"""Open datasets and managed ones over HTTP: real working copies, filled by real processes."""

# ruff: noqa: ASYNC240 - files of a few bytes
from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from engine.data.types import Shape
from engine.errors import ConflictError, LoraDeckError, NotFoundError
from engine.server.app import create_app
from engine.server.book_client import BookClient
from engine.server.book_wire import ExportRequest
from engine.server.client import _as_error
from engine.server.service import EngineService
from engine.settings import Settings
from engine.tasks.record import Status
from tests.engine.tasks.bench import FakePool
from tests.engine.tasks.make import record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fastapi import FastAPI

    from engine.home import Home

PREFIX = "/api/simple-lora"


@pytest.fixture
async def app(home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    monkeypatch.setattr("engine.server.service.WorkerPool", lambda settings: FakePool())
    app = create_app(EngineService(home, Settings()))
    yield app
    app.state.stopping.set()
    await app.state.books.wait_closed()


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://e" + PREFIX) as client:
        yield client


@pytest.fixture
async def books(http: httpx.AsyncClient) -> BookClient:
    async def call(method: str, path: str, body: Any = None, **_: float) -> Any:
        response = await http.request(method, path, json=body)
        if response.is_error:
            assert response.json().keys() == {"title", "message", "hint"}
            raise _as_error(response)
        return response.json() if response.content else None

    return BookClient(call)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    values = [{"instruction": f"q{number}", "output": f"Answer {number}."} for number in range(5)]
    path.write_text("".join(json.dumps(one) + "\n" for one in values) + "{broken\n")
    return path


async def test_a_session(books: BookClient, rows: Path, home: Home) -> None:
    before = rows.read_bytes()
    book = await books.open(str(rows))
    assert (book.shape.dataset_type, book.changes, book.path) == ("alpaca", 0, str(rows))
    changed = await books.change(book.id, 2, {"instruction": "灯 & x", "output": ""})
    assert (changed.codes, changed.edited) == (("empty-answer",), True)
    new = await books.insert(book.id, {"instruction": "n", "output": "An answer."}, 2)
    assert new.number == 3
    info = await books.remove(book.id, 1)
    assert (info.changes, info.last_change, info.codes["empty-answer"]) == (
        3, "deletion of row 1", 1
    )  # fmt: skip
    page = await books.rows(book.id, offset=0, limit=2, search="灯 &")
    assert [(row.id, row.number) for row in page.rows] == [(2, 1)]
    assert (await books.rows(book.id, code="*")).total == 2
    info = await books.undo(book.id)
    assert (info.changes, info.rows) == (2, 7)
    saved = await books.save(book.id)
    assert (saved.name, saved.rows, saved.path) == (
        "rows.v2.jsonl", 6, str(home.datasets / "rows.v2.jsonl")
    )  # fmt: skip
    info = await books.info(book.id)
    assert (info.changes, info.complete, info.unreadable, info.problem) == (0, True, 1, "")
    with pytest.raises(ConflictError):
        await books.save(book.id, "rows.v2.jsonl")
    await books.close(book.id)
    for use in (books.info, books.undo, books.save, books.close, books.rows):
        with pytest.raises(NotFoundError):
            await use(book.id)
    assert not list((home.cache / "books").iterdir())
    assert rows.read_bytes() == before


async def test_bad_requests(books: BookClient, http: httpx.AsyncClient, rows: Path) -> None:
    for path in ("/no/such", "rows.jsonl", str(rows.parent)):
        with pytest.raises(LoraDeckError):
            await books.open(path + "x")
    with pytest.raises(LoraDeckError):
        await books.open(str(rows), {"instruction": "no-such-column"})
    book = await books.open(str(rows))
    with pytest.raises(LoraDeckError, match="not an object"):
        await books.change(book.id, 1, [1])  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        await books.change(book.id, 99, {})
    with pytest.raises(NotFoundError):
        await books.insert(book.id, {}, 99)
    for query in ("limit=501", "limit=0", "offset=-1", "offset=x"):
        assert (await http.get(f"/books/{book.id}/rows?{query}")).status_code == 422
    for name in ("../x", "/etc/x", "a\x00b", ".x"):
        with pytest.raises(LoraDeckError):
            await books.save(book.id, name)


async def test_what_a_dead_engine_left_is_removed(app: FastAPI, home: Home) -> None:
    (home.cache / "books" / "old").mkdir(parents=True)
    (home.datasets / ".writing-x").write_text("half")
    (home.datasets / "kept.jsonl").write_text("{}")
    create_app(app.state.service)
    assert not (home.cache / "books").exists()
    assert [path.name for path in home.datasets.iterdir()] == ["kept.jsonl"]


async def test_unused_books_are_closed_but_not_with_changes(
    app: FastAPI, books: BookClient, rows: Path
) -> None:
    idle, edited = await books.open(str(rows)), await books.open(str(rows))
    await books.change(edited.id, 1, {"instruction": "x", "output": "y"})
    await app.state.books.close_unused(time.monotonic() + 3500)
    await books.info(idle.id)
    await app.state.books.close_unused(time.monotonic() + 3700)
    with pytest.raises(NotFoundError):
        await books.info(idle.id)
    assert (await books.info(edited.id)).changes == 1
    await app.state.books.close_unused(time.monotonic() + 25 * 3600)
    with pytest.raises(NotFoundError):
        await books.info(edited.id)


async def test_only_so_many_are_open(
    books: BookClient, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.server.book_service._MOST_OPEN", 2)
    first, second = await books.open(str(rows)), await books.open(str(rows))
    await books.change(first.id, 1, {})
    third = await books.open(str(rows))
    with pytest.raises(NotFoundError):
        await books.info(second.id)
    await books.change(third.id, 1, {})
    with pytest.raises(ConflictError, match="Too many"):
        await books.open(str(rows))


async def test_books_end_with_the_server(
    app: FastAPI, books: BookClient, rows: Path, home: Home
) -> None:
    await books.open(str(rows))
    app.state.stopping.set()
    async with asyncio.timeout(5):
        while list((home.cache / "books").iterdir()):
            await asyncio.sleep(0)


async def test_render(books: BookClient, tiny_llama: Path) -> None:
    shape = Shape(dataset_type="alpaca", columns={"instruction": "q", "output": "a"})
    shown = await books.render({"q": "Hello?", "a": "World."}, shape, str(tiny_llama))
    assert any("World." in shown.text[start:end] for start, end in shown.trained_spans)
    assert 0 < shown.trained < shown.tokens
    cut = await books.render({"q": "Hello?", "a": "World."}, shape, str(tiny_llama), 5)
    assert cut.cut_at is not None
    fault = await books.render({"q": "Hello?", "a": ""}, shape, str(tiny_llama))
    assert (fault.text, bool(fault.fault)) == ("", True)
    with pytest.raises(LoraDeckError):
        await books.render({"q": "x"}, shape, "no-such-model")


async def test_find_add_remove(
    app: FastAPI, books: BookClient, rows: Path, home: Home, tmp_path: Path
) -> None:
    added = await books.add(str(rows))
    assert (added.name, added.dataset_type) == ("rows.jsonl", "alpaca")
    assert (home.datasets / "rows.jsonl").read_bytes() == rows.read_bytes()
    assert (home.datasets / "rows.jsonl").stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConflictError):
        await books.add(str(rows))
    assert (await books.add(str(rows), "other")).name == "other.jsonl"
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(LoraDeckError):
        await books.add(str(tmp_path / "bad.json"))
    for name in ("rows", "rows.jsonl"):
        assert (await books.find(name)).path == str(home.datasets / "rows.jsonl")
    assert (await books.find("alpaca_zh")).sample
    with pytest.raises(NotFoundError) as told:
        await books.find("alpaca_exmaple.json")
    assert "alpaca_example.json" in told.value.hint

    store = app.state.service.store
    task = record(dataset_file=str(home.datasets / "rows.jsonl"), status=Status.PENDING)
    store.put(task)
    with pytest.raises(ConflictError, match="in use"):
        await books.delete("rows.jsonl")
    store.put(task.model_copy(update={"status": Status.COMPLETED}))
    await books.delete("rows.jsonl")
    victim = home.root / "victim.jsonl"
    victim.write_text("{}")
    for name in ("rows.jsonl", "../victim.jsonl", "..", ".", str(rows), "alpaca_example.json"):
        with pytest.raises(LoraDeckError):
            await books.delete(name)
    assert victim.exists()
    assert rows.exists()
    assert [path.name for path in home.datasets.iterdir()] == ["other.jsonl"]


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "parquet"])
@pytest.mark.parametrize("form", ["raw", "messages"])
async def test_what_is_exported_can_be_opened_again(
    books: BookClient, samples: Path, tmp_path: Path, ending: str, form: Any
) -> None:
    source = samples / ("alpaca_zh.jsonl" if form == "raw" else "sharegpt_example.json")
    target = tmp_path / f"out.{ending}"
    request = ExportRequest(path=str(source), target=str(target), form=form)
    done = await books.export(request)
    assert (done.path, done.format, done.left_out) == (str(target), ending, 0)
    assert target.stat().st_mode & 0o777 == 0o600
    before, after = await books.open(str(source)), await books.open(str(target))
    assert after.shape.dataset_type == ("alpaca" if form == "raw" else "messages")
    old, new = await books.rows(before.id, limit=500), await books.rows(after.id, limit=500)
    assert [row.summary for row in new.rows] == [row.summary for row in old.rows]
    assert [row.fault for row in new.rows] == [""] * done.rows
    if form == "raw" and ending != "csv":
        assert [row.value for row in new.rows] == [row.value for row in old.rows]


async def test_export_counts_what_it_leaves_out_and_writes_over_nothing(
    books: BookClient, rows: Path, tmp_path: Path
) -> None:
    rows.write_text(rows.read_text() + '{"instruction": "x", "output": ""}\n')
    target = tmp_path / "out.jsonl"
    request = ExportRequest(path=str(rows), target=str(target), form="messages")
    done = await books.export(request)
    assert (done.rows, done.left_out) == (5, 2)
    with pytest.raises(ConflictError, match="File exists"):
        await books.export(request)
    raw = request.model_copy(update={"form": "raw", "force": True})
    done = await books.export(raw)
    assert (done.rows, done.left_out) == (6, 1)
    for change in (
        {"target": str(rows), "force": True},
        {"target": str(tmp_path)},
        {"target": str(tmp_path / "none" / "x.jsonl")},
        {"target": str(tmp_path / "x.xyz")},
        {"path": str(tmp_path / "none")},
    ):
        with pytest.raises(LoraDeckError):
            await books.export(raw.model_copy(update=change))
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "out.jsonl", "rows.jsonl"
    ]  # fmt: skip


async def test_folders_are_added_listed_and_removed(
    books: BookClient, http: httpx.AsyncClient, rows: Path, home: Home, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    rows.rename(folder / "rows.jsonl")
    assert (await books.add(str(folder))).name == "many"
    begun = home.datasets / "owner--name" / ".cache" / "huggingface"
    begun.mkdir(parents=True)
    listed = [one["name"] for one in (await http.get("/datasets")).json() if not one["sample"]]
    assert listed == ["many"]
    with pytest.raises(NotFoundError):
        await books.find("owner--name")
    book = await books.open((await books.find("many")).path)
    assert (await books.save(book.id)).name == "many.v2.jsonl"
    await books.delete("many")
    assert (folder / "rows.jsonl").exists()


async def test_a_dataset_of_the_hub_is_refused_in_words_where_there_is_no_network(
    books: BookClient, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(LoraDeckError):
        await books.add("owner/name")
    with pytest.raises(LoraDeckError, match="own name"):
        await books.add("owner/name", "x")
    assert not list(home.datasets.iterdir())
