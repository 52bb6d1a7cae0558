"""The gate: token, limits by peer, and what a client over the network may name."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import LoraDeckError
from engine.server import protocol, rate
from engine.server.app import create_app
from engine.server.listen import listen_tcp
from engine.server.peer import peer_uid
from engine.server.rate import PeerLimits
from engine.server.token import Token
from tests.engine.server.real import Served, served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from engine.home import Home


@pytest.fixture
async def engine(home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    async with served(home, monkeypatch) as running:
        yield running


async def _nothing_comes(reader: asyncio.StreamReader) -> None:
    """The connection ends without a word."""
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""


def test_token_is_kept_as_a_hash_and_replaced(tmp_path: Path) -> None:
    token = Token(tmp_path / "token")
    assert not token.accepts("")
    first = token.make()
    assert token.accepts(first)
    assert first[3:] not in (tmp_path / "token").read_text()
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    second = token.make()
    assert (token.accepts(first), token.accepts(second)) == (False, True)
    wrong = [second[:-1], second + "x", second.upper(), "x" * 10_000, "é", "\ud800", " "]
    assert not any(map(token.accepts, wrong))
    assert token.revoke()
    assert not token.accepts(second)
    assert not token.revoke()
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    assert not token.accepts(second)


def test_peer_waits_a_minute_after_too_much() -> None:
    now = 0.0
    limits = PeerLimits(lambda: now)
    for _ in range(rate.REFUSED_A_MINUTE):
        assert not limits.exceeded("10.0.0.1")
        limits.refused("10.0.0.1")
    assert limits.exceeded("10.0.0.1")
    assert limits.exceeded("::ffff:10.0.0.1")
    assert not limits.exceeded("10.0.0.2")
    now = 60.0
    assert not limits.exceeded("10.0.0.1")
    for _ in range(rate.REQUESTS_A_MINUTE - 1):
        assert not limits.exceeded("10.0.0.1")
    assert limits.exceeded("10.0.0.1")


def test_addresses_of_one_network_are_one_peer_and_few_are_kept() -> None:
    limits = PeerLimits(lambda: 0.0)
    for number in range(rate.REFUSED_A_MINUTE):
        limits.refused(f"2001:db8::{number:x}")
    assert limits.exceeded("2001:db8::ffff")
    assert not limits.exceeded("2001:db8:0:1::1")
    for number in range(5000):
        limits.exceeded(f"10.0.{number >> 8}.{number & 255}")
    assert len(limits._peers) <= 4096


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("0.0.0.0:0", "--allow-remote"),
        ("[::]:0", "--allow-remote"),
        ("127.0.0.1:http", "HOST:PORT"),
        ("127.0.0.1:65536", "HOST:PORT"),
        ("127.0.0.1", "HOST:PORT"),
        ("no.such.host.invalid:80", "Address not usable"),
        ("a" * 300 + ":80", "Address not usable"),
        ("203.0.113.9:0", "--allow-remote"),
    ],
)
def test_addresses_of_no_use_are_refused_in_words(given: str, words: str) -> None:
    with pytest.raises(LoraDeckError) as refused:
        listen_tcp(given)
    assert words in f"{refused.value} {refused.value.hint}"


def test_a_taken_port_is_told() -> None:
    with listen_tcp("0") as first, pytest.raises(LoraDeckError, match="Address already in use"):
        listen_tcp(f"127.0.0.1:{first.getsockname()[1]}")


async def test_without_the_token_every_path_is_a_401_and_nothing_else(engine: Served) -> None:
    paths = ["/openapi.json", "/tasks", "/engine", "/nothing", "/../../etc/passwd", "/tasks/x/log"]
    answers = set()
    for given in ("", "wrong", engine.token[:-1]):
        async with engine.remote(given) as http:
            for method, path in [("GET", path) for path in paths] + [("POST", "/engine/stop")]:
                answer = await http.request(method, path)
                kept = {key: answer.headers[key] for key in answer.headers if key != "date"}
                answers.add((answer.status_code, answer.content, tuple(sorted(kept.items()))))
    assert len(answers) == 1
    status, body, headers = answers.pop()
    assert status == 401
    assert b"Token needed" in body
    assert "server" not in dict(headers)


async def test_the_token_opens_it_and_revoking_closes_it_again(engine: Served) -> None:
    async with engine.remote() as http:
        assert (await http.get("/tasks")).json() == []
        async with http.stream("GET", "/watch") as answer:
            lines = answer.aiter_lines()
            while not (await anext(lines)).startswith("data:"):
                pass
            assert Token(engine.home.token_file).revoke()
            engine.service.live.touch("something")
            async with asyncio.timeout(5):
                assert not [line async for line in lines if line.startswith("data:")]
        assert (await http.get("/tasks")).status_code == 401
    async with engine.local() as http:  # the user's own processes need none
        assert (await http.get("/tasks")).status_code == 200


async def test_body_of_a_refused_upload_is_not_read(engine: Served) -> None:
    reader, writer = await engine.raw(remote=True)
    writer.write(
        b"POST /api/simple-lora/upload-dataset HTTP/1.1\r\nHost: e\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 10000000000\r\n\r\n"
    )
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 401")
    assert answer.endswith(b'"hint":""}')


async def test_a_peer_that_guesses_has_to_wait(
    engine: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate, "REFUSED_A_MINUTE", 3)
    async with engine.remote("guess") as http:
        # What a header says of the peer counts for nothing
        told = [
            (await http.get("/tasks", headers={"X-Forwarded-For": f"10.0.0.{number}"})).status_code
            for number in range(5)
        ]
    assert told == [401, 401, 401, 429, 429]
    async with engine.remote() as http:
        answer = await http.get("/tasks")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    async with engine.local() as http:
        assert (await http.get("/tasks")).status_code == 200


async def test_a_process_of_another_user_gets_no_answer(
    engine: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "peer_uid", lambda connection: 12345)
    reader, writer = await engine.raw()
    writer.write(b"GET /api/simple-lora/engine HTTP/1.1\r\nHost: e\r\n\r\n")
    await _nothing_comes(reader)
    writer.close()
    monkeypatch.setattr(protocol, "peer_uid", peer_uid)
    async with engine.local() as http:
        assert (await http.get("/engine")).status_code == 200


def test_socket_and_its_folder_are_the_users_alone(engine: Served) -> None:
    assert stat.S_IMODE(engine.home.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(engine.home.socket.parent.stat().st_mode) == 0o700


async def test_too_many_connections_over_the_network_are_closed(
    engine: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MOST_REMOTE", 2)
    held = [await engine.raw(remote=True) for _ in range(2)]
    while len(engine.server.server_state.connections) < 2:
        await asyncio.sleep(0)
    reader, writer = await engine.raw(remote=True)
    await _nothing_comes(reader)
    async with engine.local() as http:
        assert (await http.get("/engine")).status_code == 200
    for _, one in [*held, (reader, writer)]:
        one.close()


def _paths(engine: Served, tmp_path: Path) -> list[str]:
    """Paths that lie outside the home's datasets, or are hidden in there."""
    outside = tmp_path / "secret.jsonl"
    outside.write_text('{"instruction": "q", "output": "secret"}\n')
    datasets = engine.home.datasets
    (datasets / "link.jsonl").symlink_to(outside)
    (datasets / ".upload-x").mkdir()
    (datasets / ".upload-x" / "rows.jsonl").write_text("{}")
    return [
        str(outside),
        str(datasets / ".." / ".." / outside.name),
        str(datasets / "link.jsonl"),
        str(datasets / ".upload-x" / "rows.jsonl"),
        str(datasets),
        str(engine.home.store_file),
        "/etc/passwd",
        "/proc/self/environ",
    ]


async def test_clients_over_the_network_name_nothing_outside_the_home(
    engine: Served, tmp_path: Path, tiny_llama: Path
) -> None:
    """Whatever of a body is called as a path or a model is, is tried with each of them."""
    routes = create_app(engine.service).openapi()
    schemas = routes["components"]["schemas"]
    tried = 0
    bad = {
        "path": (paths := _paths(engine, tmp_path)),
        "dataset_file": paths,
        "model": (models := [str(tiny_llama), "~/x", "./x", "../x"]),
        "base_model": models,
        "target": [str(tmp_path / "out.jsonl")],
        "source": models,
        "out": [str(tmp_path / "out"), "out"],
        "host": ["127.0.0.1:9", "http://elsewhere"],
    }
    good: dict[str, Any] = {
        "path": str(engine.home.datasets / "rows.jsonl"),
        "dataset_file": str(engine.home.datasets / "rows.jsonl"),
        "base_model": "demo",
        "model": "demo",
        "target": str(engine.home.datasets / "out.jsonl"),
        "source": "first",
        "task_name": "first",
        "name": "poet",
        "messages": [{"role": "user", "content": "Hi?"}],
        "value": {"instruction": "q", "output": "a"},
        "shape": {"family": "alpaca", "dataset_type": "alpaca", "columns": {}},
    }
    async with engine.remote() as http:
        for path, methods in routes["paths"].items():
            content = methods.get("post", {}).get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            fields = schemas.get(schema.get("$ref", "").rpartition("/")[2], {})
            for field in fields.get("properties", {}).keys() & bad.keys():
                for value in bad[field]:
                    body = {key: good[key] for key in fields.get("required", ())} | {field: value}
                    url = http.base_url.copy_with(path=path)
                    answer = await http.post(url, json=body)
                    tried += 1
                    assert "out of reach" in answer.text or answer.status_code == 403, (path, body)
        assert (await http.get("/models/find", params={"name": str(tiny_llama)})).status_code == 403
    assert tried > 40
    assert not (tmp_path / "out.jsonl").exists()


async def test_clients_over_the_network_work_with_the_homes_datasets(
    engine: Served, samples: Path
) -> None:
    content = (samples / "alpaca_example.json").read_bytes()
    async with engine.remote() as http:
        kept = await http.post("/upload-dataset", files={"file": ("mine.json", content)})
        assert kept.status_code == 201, kept.text
        found = await http.post("/datasets/inspect", json={"path": kept.json()["path"]})
        assert found.json()["dataset_type"] == "alpaca"
        assert (await http.post("/engine/stop")).status_code == 403
        assert (await http.delete("/datasets/mine.json")).status_code == 204
