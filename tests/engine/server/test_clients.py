"""Many clients, clients that stop reading, and what is no client at all."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from typing import TYPE_CHECKING

import pytest

from engine.errors import NotFoundError
from engine.server import protocol
from engine.server.task_client import quoted
from engine.tasks.events import EVENT
from engine.tasks.journal import JournalWriter
from engine.tasks.record import Status
from tests.engine.server.real import Served, served
from tests.engine.tasks.make import record, step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.home import Home
    from engine.tasks.record import TaskRecord

HEAD = b"GET /api/simple-lora/tasks/first/events HTTP/1.1\r\nHost: e\r\n"
SEED = 7


@pytest.fixture
async def engine(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Served]:
    """An engine that finds nothing worth an error in its log, whatever clients do."""
    async with served(home, monkeypatch) as running:
        yield running
    logged = caplog.get_records("call") + caplog.records
    assert [one.getMessage() for one in logged if one.levelno >= logging.ERROR] == []


def _task(engine: Served) -> TaskRecord:
    """A task that runs."""
    task = engine.service.store.put(record(status=Status.RUNNING))
    engine.home.task(task.id).mkdir()
    return task


def _happen(engine: Served, task: TaskRecord, steps: range) -> None:
    """Steps come about."""
    writer = JournalWriter(engine.home.task(task.id))
    for number in steps:
        writer.append(step(number, of=100_000))
    writer.close()
    engine.service.live.touch(task.id)


async def _follow(engine: Served, last: int, following: list[None]) -> list[int]:
    """Follow the task up to an event; give the numbers of those that came."""
    seen: list[int] = []
    async with engine.local() as http, http.stream("GET", "/tasks/first/events") as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                if not seen:
                    following.append(None)
                seen.append(EVENT.validate_json(line[5:]).seq)
                if seen[-1] == last:
                    break
    return seen


async def _ask(engine: Served) -> None:
    """Ask a few things, as a dashboard does."""
    async with engine.local() as http:
        for _ in range(3):
            assert [task["task_name"] for task in (await http.get("/tasks")).json()] == ["first"]
            assert (await http.get("/engine")).status_code == 200


async def test_fifty_clients_ask_and_follow_at_once(engine: Served) -> None:
    clients = 50
    task, following = _task(engine), []
    _happen(engine, task, range(1, 6))
    async with asyncio.timeout(60):
        followers = [asyncio.create_task(_follow(engine, 10, following)) for _ in range(clients)]
        askers = [asyncio.create_task(_ask(engine)) for _ in range(clients)]
        while len(following) < clients:
            await asyncio.sleep(0.01)
        _happen(engine, task, range(6, 11))
        assert await asyncio.gather(*followers) == [list(range(1, 11))] * clients
        await asyncio.gather(*askers)


def _waiting(engine: Served) -> int:
    """Give the bytes that wait to be written to all clients."""
    return sum(
        one.transport.get_write_buffer_size() for one in engine.server.server_state.connections
    )


async def test_a_client_that_stops_reading_delays_nobody_and_is_dropped(
    engine: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "STALL_SECONDS", 0.3)
    _happen(engine, _task(engine), range(1, 5_001))
    reader, writer = await engine.raw()
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(HEAD + b"\r\n")
    async with asyncio.timeout(30):
        while not _waiting(engine):
            await asyncio.sleep(0.01)
        assert await _follow(engine, 5_000, []) == list(range(1, 5_001))
        await _ask(engine)
        assert _waiting(engine) < 500_000
        while _waiting(engine) or engine.server.server_state.tasks:
            await asyncio.sleep(0.01)
    writer.close()


async def test_a_half_request_is_not_waited_for(
    engine: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEADER_SECONDS", 0.05)
    for remote in (False, True):
        for half in (b"", HEAD[:20], HEAD):
            reader, writer = await engine.raw(remote=remote)
            writer.write(half)
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()
    async with engine.local() as http:
        assert (await http.get("/tasks")).status_code == 200


def _garbage() -> list[bytes]:
    """What is no request, or too much of one."""
    draw = random.Random(SEED)  # noqa: S311 - the same garbage each time
    noise = [draw.randbytes(draw.randint(1, 2_000)) for _ in range(40)]
    broken = [
        bytes(b if draw.random() > 0.1 else draw.randrange(256) for b in HEAD + b"\r\n")
        for _ in range(40)
    ]
    body = b"POST /api/simple-lora/plan HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\n"
    return [
        *noise,
        *broken,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        HEAD + b"X: " + b"x" * 200_000 + b"\r\n\r\n",
        HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(20_000)) + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: e\r\n\r\n",
        HEAD + b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n",
        body + b"Content-Length: -5\r\n\r\n",
        body + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}{}{}",
        body + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
        body + b"Content-Length: 1000000000000\r\n\r\n{}",
        body + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        body + b"Content-Length: 3\r\n\r\n{}\xff",
        body + b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000,
        HEAD + b"\r\n" + b"\x00garbage behind a request\r\n\r\n",
    ]


async def test_garbage_gets_a_4xx_or_nothing(engine: Served) -> None:
    for sent in _garbage():
        reader, writer = await engine.raw()
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(10):
            try:
                answer = await reader.read()
            except ConnectionError:
                answer = b""
        writer.close()
        assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), (sent[:80], answer)
    async with engine.local() as http:
        assert (await http.get("/tasks")).status_code == 200


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(engine: Served) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10_000):
            yield b"x" * 100_000

    async with engine.local() as http:
        answer = await http.post(
            "/plan", content=endless(), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 413
        assert answer.json().keys() == {"title", "message", "hint"}
        form = {"Content-Type": "multipart/form-data; boundary=x"}
        unknown = await http.post("/upload-dataset", content=endless(), headers=form)
        assert (unknown.status_code, "Content-Length" in unknown.text) == (411, True)
    for length in (10**11, 10**18):
        reader, writer = await engine.raw()
        writer.write(b"POST /api/simple-lora/upload-dataset HTTP/1.1\r\nHost: e\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % length)
        async with asyncio.timeout(5):
            assert b" 413 " in await reader.readline()
        writer.close()


async def test_deeply_nested_json_is_refused(engine: Served) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    async with engine.local() as http:
        for body in (deep, b'{"value": ' + deep + b"}", json.dumps({"a": "\\ud800"}).encode()):
            headers = {"Content-Type": "application/json"}
            for path in ("/plan", "/datasets/render", "/books/x/rows"):
                answer = await http.post(path, content=body, headers=headers)
                assert 400 <= answer.status_code < 500, answer.text
                assert answer.json().keys() == {"title", "message", "hint"}


def test_a_name_of_a_megabyte_is_of_nothing() -> None:
    with pytest.raises(NotFoundError, match="100,000 characters"):
        quoted("x" * 100_000)
