"""Looking at datasets over the interface: streams, mappings, listings, uploads of any format."""

from __future__ import annotations

import gzip
import json
from contextlib import aclosing
from typing import TYPE_CHECKING

import httpx
import pytest

from engine.errors import LoraDeckError, NotFoundError
from engine.server import dataset_listing
from engine.server.app import create_app
from engine.server.client import EngineClient
from engine.server.dataset_listing import list_datasets
from engine.server.service import EngineService
from engine.settings import Settings
from tests.engine.tasks.bench import FakePool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from engine.home import Home

ROW = {"instruction": "Question?", "output": "It is the answer."}
CSV = "问题,答案\n你是谁？,我是助手。\n你好吗？,我很好。\n"


@pytest.fixture
async def client(home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EngineClient]:
    """The engine's own client, straight at the interface."""
    monkeypatch.setattr("engine.server.service.WorkerPool", lambda settings: FakePool())
    app = create_app(EngineService(home, Settings()))
    async with EngineClient(home) as client:
        await client._http.aclose()
        client._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://e/api/simple-lora"
        )
        yield client


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A CSV whose columns want a mapping."""
    path = tmp_path / "问答.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


async def test_a_scan_ends_with_the_inspection(client: EngineClient, rows: Path) -> None:
    async with aclosing(client.scan(str(rows))) as scan:
        steps = [step async for step in scan]
    found = steps[-1].inspection
    assert found is not None
    assert found == await client.inspect(str(rows))
    assert (found.rows, found.languages) == (2, (("zh", 1.0),))


async def test_a_mapping_is_obeyed(client: EngineClient, rows: Path) -> None:
    found = await client.inspect(str(rows), {"instruction": "答案", "output": "问题"})
    assert found.preview[0].messages[1].content == "你是谁？"


async def test_a_scan_that_fails_raises_the_same_error_as_a_look(
    client: EngineClient, tmp_path: Path
) -> None:
    for path, kind in ((str(tmp_path / "none"), NotFoundError), ("none", LoraDeckError)):
        with pytest.raises(kind) as looked:
            await client.inspect(path)
        with pytest.raises(kind) as scanned:
            async with aclosing(client.scan(path)) as scan:
                await anext(scan)
        assert scanned.value.__reduce__() == looked.value.__reduce__()


async def test_tokens_are_counted_with_a_model(
    client: EngineClient, samples: Path, tiny_llama: Path
) -> None:
    lengths = await client.measure(str(samples / "alpaca_zh.jsonl"), str(tiny_llama))
    assert (lengths.rows, lengths.measured) == (12, 12)
    assert lengths.trained > 0


async def test_large_datasets_are_listed_without_a_look(
    client: EngineClient, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_listing, "_SMALL", 20_000)
    large = home.datasets / "large.jsonl"
    large.write_text((json.dumps(ROW) + "\n") * 1000)
    (home.datasets / "odd.json").write_text("{}[")
    (home.datasets / "notes.odt").write_text("none")
    entries = {one.name: one for one in await client.datasets()}
    assert (entries["large.jsonl"].dataset_type, entries["large.jsonl"].problem) == (None, "")
    assert entries["odd.json"].problem
    assert "notes.odt" not in entries
    assert "README.md" not in entries
    assert entries["alpaca_example.json"].dataset_type == "alpaca"


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("问答.csv", CSV.encode("gb18030"), "问答.csv"),
        (
            "rows.jsonl.gz",
            gzip.compress((json.dumps(ROW) + "\n").encode() * 2, mtime=0),
            "rows.jsonl.gz",
        ),
        ("../rows.JSON", json.dumps([ROW]).encode(), "rows.JSON"),
    ],
)
async def test_uploads_of_many_formats_are_kept(
    client: EngineClient, home: Home, name: str, content: bytes, kept: str
) -> None:
    answer = await client._http.post("/upload-dataset", files={"file": (name, content)})
    assert answer.status_code == 201, answer.text
    assert answer.json()["path"] == str(home.datasets / kept)
    again = await client._http.post("/upload-dataset", files={"file": (name, content)})
    stem, _, endings = kept.partition(".")
    assert again.json()["name"] == f"{stem}-2.{endings}"


async def test_datasets_that_tasks_were_made_of_are_listed_as_recent(
    home: Home, samples: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.jsonl"
    mine.write_text('{"question": "a", "answer": "b"}\n', encoding="utf-8")
    sample = str(samples / "alpaca_example.json")
    used = [str(mine), sample, "/no/such.jsonl", str(mine), "bad\ud800.jsonl"]
    listed = await list_datasets(home, used)
    assert [one.path for one in listed if one.recent] == [str(mine)]
    assert sum(one.path == sample for one in listed) == 1
