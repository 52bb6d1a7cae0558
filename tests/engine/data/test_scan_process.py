"""Scanning in a process of its own: what it answers, how it is ended, which limits hold."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from engine.data import child_process, scan_cache, scan_process
from engine.data.inspect import inspect_dataset
from engine.data.scan_process import inspect_in_process, inspect_whole, survey
from engine.errors import LoraDeckError, NotFoundError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable
    from pathlib import Path

    from engine.data.types import Inspection

ROW = {"instruction": "Question?", "output": "It is the answer."}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """Collect the processes that are started."""
    processes: list[Process] = []
    start = child_process.start

    async def remember() -> Process:
        processes.append(await start())
        return processes[-1]

    monkeypatch.setattr(child_process, "start", remember)
    return processes


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """An empty cache folder."""
    return tmp_path / "cache"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file that takes some seconds."""
    path = tmp_path / "large.jsonl"
    path.write_text((json.dumps(ROW) + "\n") * 200_000)
    return path


async def test_the_process_finds_what_the_function_does_and_once_only(
    write_rows: Callable[..., Path],
    cache: Path,
    started: list[Process],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_rows(ROW, ROW, ROW | {"output": ""})
    first = await inspect_whole(cache, path)
    assert first == inspect_dataset(path)
    # As if the file had lain there for long
    times = scan_cache.stat_key(path)
    assert times is not None
    trusted = scan_cache.StatKey(times.name, trusted=True)
    scan_cache.ScanCache(cache).remember(trusted, first.sha256)
    assert await inspect_whole(cache, path) == first
    assert len(started) == 1


async def test_findings_come_while_the_process_reads(large: Path, cache: Path) -> None:
    async with aclosing(inspect_in_process(cache, large)) as steps:
        first = await anext(steps)
    assert first.inspection is None
    assert 0 < first.rows < 200_000
    assert first.share is not None
    assert 0 < first.share < 1
    assert {one.code for one in first.findings} >= {"duplicate"}


async def test_a_closed_scan_leaves_no_process(
    large: Path, cache: Path, started: list[Process]
) -> None:
    async with aclosing(inspect_in_process(cache, large)) as steps:
        await anext(steps)
        assert started[0].returncode is None
    assert started[0].returncode == -9


async def test_a_cancelled_scan_leaves_no_process(
    large: Path, cache: Path, started: list[Process]
) -> None:
    look = asyncio.create_task(inspect_whole(cache, large))
    while not started:
        await asyncio.sleep(0)
    look.cancel()
    with pytest.raises(asyncio.CancelledError):
        await look
    assert started[0].returncode == -9


async def test_a_mapping_reaches_the_process(write_rows: Callable[..., Path], cache: Path) -> None:
    path = write_rows({"a": "Question?", "b": "Answer.", "c": "Other."})
    found = await inspect_whole(cache, path, {"instruction": "a", "output": "c"})
    assert found.preview[0].messages[1].content == "Other."


async def test_errors_keep_their_kind_and_words(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no file .*none\.json"):
        await inspect_whole(cache, tmp_path / "none.json")


async def test_a_file_that_wants_too_much_memory_is_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text((json.dumps(ROW | {"output": "word " * 2_000_000}) + "\n") * 4)
    monkeypatch.setattr(scan_process, "DATA", 60_000_000)
    with pytest.raises(LoraDeckError, match="wants more than 57 MiB of memory"):
        await inspect_whole(cache, path)


async def test_a_scan_that_does_not_go_on_is_ended(
    large: Path, cache: Path, started: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_process, "STALL", 0.01)
    with pytest.raises(LoraDeckError, match=r"did not end within 0\.01 s"):
        await inspect_whole(cache, large)
    assert started[0].returncode == -9


async def test_a_process_that_dies_is_explained(
    large: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process.sys, "executable", "/bin/false")
    with pytest.raises(LoraDeckError, match=r"could not be read.* failed"):
        await inspect_whole(cache, large)


async def test_many_small_files_share_a_process(
    write_rows: Callable[..., Path], cache: Path, tmp_path: Path, started: list[Process]
) -> None:
    paths = [write_rows(ROW, name="a.json"), tmp_path / "none", write_rows(ROW, name="b.json")]
    found: list[tuple[Path, Inspection | LoraDeckError]] = []
    async with aclosing(survey(cache, paths)) as looks:
        async for one in looks:
            found += [one]
    assert [path for path, _ in found] == paths
    assert isinstance(found[1][1], NotFoundError)
    assert not isinstance(found[2][1], LoraDeckError)
    assert len(started) == 1
