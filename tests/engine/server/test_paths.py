"""Names and paths that come in, or lie about: nothing leaves the home, nothing breaks a list."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from engine.errors import LoraDeckError
from engine.home import Home
from engine.server.app import create_app
from engine.server.service import EngineService
from engine.settings import Settings
from tests.engine.tasks.bench import FakePool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROW = b'{"instruction": "q", "output": "An answer."}\n'


@pytest.fixture
async def http(home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr("engine.server.service.WorkerPool", lambda settings: FakePool())
    transport = httpx.ASGITransport(create_app(EngineService(home, Settings())))
    async with httpx.AsyncClient(transport=transport, base_url="http://e/api/simple-lora") as http:
        yield http


def _name_oddly(folder: Path) -> None:
    """Put files and folders into a folder whose names cannot be sent, or act on a terminal."""
    for name in (b"rows\xff.jsonl", b"esc\x1b]0;x\x07.jsonl", b"new\nline.jsonl", b"m\xfe.gguf"):
        (folder / os.fsdecode(name)).write_bytes(ROW)
    broken = folder / os.fsdecode(b"model\xff")
    broken.mkdir()
    (broken / "config.json").write_text("{}")


@pytest.mark.skipif(sys.platform == "darwin", reason="its disks take UTF-8 alone")
async def test_names_on_the_disk_that_are_no_utf8_break_no_list(
    http: httpx.AsyncClient, home: Home
) -> None:
    for place in (home.datasets, home.models):
        _name_oddly(place)
    for path in ("/datasets", "/models"):
        answer = await http.get(path)
        assert answer.status_code == 200, answer.text
    folder = home.datasets / "folder"
    folder.mkdir()
    (folder / os.fsdecode(b"rows\xff.jsonl")).write_bytes(ROW + b"{broken")
    for route in ("/datasets/inspect", "/books", "/datasets/scan"):
        answer = await http.post(route, json={"path": str(folder)})
        assert answer.status_code in (200, 201, 422), answer.text
    for path in ("/datasets/find?name=rows", "/models/find?name=model"):
        assert (await http.get(path)).status_code in (200, 404)


async def test_uploads_of_one_name_at_once_are_all_kept(
    http: httpx.AsyncClient, home: Home
) -> None:
    (home.datasets / "rows.jsonl").symlink_to("/nowhere")
    answers = await asyncio.gather(
        *(http.post("/upload-dataset", files={"file": ("rows.jsonl", ROW)}) for _ in range(4))
    )
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["path"] for answer in answers}) == 4
    assert (home.datasets / "rows.jsonl").is_symlink()


@pytest.mark.parametrize(
    "name",
    [
        "../../rows.jsonl", "..\\..\\rows.jsonl", "/etc/rows.jsonl", "C:\\rows.jsonl",
        ".rows.jsonl",
        ".upload-x.jsonl", "a" * 300 + ".jsonl", "a" * 185 + ".upload-x" + "b" * 185 + ".jsonl",
        "é" * 150 + ".jsonl", "\x1b[31m.jsonl", "\u202elnosj.jsonl", "a\tb.jsonl", "...jsonl.jsonl",
    ],
)  # fmt: skip
async def test_uploads_land_in_the_datasets_folder_and_are_seen(
    http: httpx.AsyncClient, home: Home, name: str
) -> None:
    answer = await http.post("/upload-dataset", files={"file": (name, ROW)})
    assert answer.status_code == 201, answer.text
    kept = Path(answer.json()["path"])
    assert kept.parent == home.datasets
    assert not kept.name.startswith(".")
    assert kept.name.isprintable()
    assert [path.name for path in home.datasets.iterdir()] == [kept.name]
    assert [path.stat().st_mode & 0o777 for path in home.datasets.iterdir()] == [0o600]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", "nul\0byte", "../x"])
def test_names_cannot_leave_the_home(home: Home, name: str) -> None:
    for place in (home.task, home.adapter, home.dataset):
        with pytest.raises(LoraDeckError, match="Name not usable"):
            place(name)


def test_socket_folder_that_somebody_else_linked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In /tmp anyone can put a link where the socket of a long path goes."""
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    base = tmp_path / "base"
    base.symlink_to(victim)
    monkeypatch.setattr(Home, "socket", property(lambda _: base / "key" / "engine.sock"))
    with pytest.raises(LoraDeckError, match="Folder of another user"):
        Home(tmp_path / "home").prepare()
    assert victim.stat().st_mode & 0o777 == 0o755


async def test_what_is_no_file_is_refused_and_waited_for_by_nobody(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "loop.jsonl").symlink_to(tmp_path / "loop.jsonl")
    (tmp_path / "zero.jsonl").symlink_to("/dev/zero")
    async with asyncio.timeout(30):
        for name in ("pipe.jsonl", "loop.jsonl", "zero.jsonl"):
            for path in ("/datasets/inspect", "/books", "/datasets/add"):
                answer = await http.post(path, json={"path": str(tmp_path / name)})
                assert 400 <= answer.status_code < 500, (name, path, answer.text)


async def test_a_scan_looks_into_the_home_or_a_whole_path(
    http: httpx.AsyncClient, home: Home, tmp_path: Path
) -> None:
    for number, body in enumerate(({}, {"path": str(tmp_path)})):
        answer = await http.post("/models/scan", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["folders"] > number
    for path, status in (("here", 422), ("/no/such", 404), ("/dev/null", 422), ("/a\0b", 422)):
        answer = await http.post("/models/scan", json={"path": path})
        assert answer.status_code == status, (path, answer.text)
