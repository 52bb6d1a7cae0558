"""A pull in a process of its own, as the engine server sees it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from engine.errors import DiskFullError, LoraDeckError, NotFoundError
from engine.language import speaking
from engine.models import pull_process
from engine.models.pull import pull_in_process

if TYPE_CHECKING:
    from pathlib import Path

    from engine.home import Home

Reports = list[tuple[str, float | None]]


def child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the child run this code instead."""
    monkeypatch.setattr(pull_process, "_command", lambda name: [sys.executable, "-Ic", code])


async def run(home: Home, name: str = "any") -> tuple[Reports, object]:
    """Pull; give the reports, and the model or the error."""
    reports: Reports = []
    try:
        return reports, await pull_in_process(home, name, lambda *each: reports.append(each))
    except LoraDeckError as error:
        return reports, error


async def test_a_ready_model(home: Home, tiny_llama: Path) -> None:
    shutil.copytree(tiny_llama, home.models / "mine")
    info = await pull_in_process(home, "mine", lambda *_: None)
    assert (info.state, info.path) == ("ready", str(home.models / "mine"))
    assert list(home.run.iterdir()) == []


async def test_an_unknown_model(home: Home) -> None:
    with pytest.raises(NotFoundError, match="no base model 'nothing'"):
        await pull_in_process(home, "nothing", lambda *_: None)


async def test_reports_and_errors_arrive(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """print('{"state": "downloading", "progress": 0.5}')
print('{"state": "converting", "progress": null}')
print('{"error": {"kind": "DiskFullError", "title": "T", "message": "M", "hint": "H"}}')"""
    child(monkeypatch, code)
    reports, error = await run(home)
    assert reports == [("downloading", 0.5), ("converting", None)]
    assert isinstance(error, DiskFullError)
    assert (error.title, error.message, error.hint) == ("T", "M", "H")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.kill(os.getpid(), 9)", "it was killed"),
        ("raise SystemExit(3)", "exit code 3"),
        ("raise RuntimeError('broken')", "RuntimeError: broken"),
    ],
)
async def test_a_child_that_dies(
    home: Home, monkeypatch: pytest.MonkeyPatch, code: str, words: str
) -> None:
    child(monkeypatch, code)
    _, error = await run(home)
    assert isinstance(error, LoraDeckError)
    assert words in error.message


# The child that goes on is let go of on purpose.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_cancelled_the_child_goes_on(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """import os, time
print('{"state": "downloading", "progress": %d}' % os.getpid(), flush=True)
time.sleep(60)"""
    child(monkeypatch, code)
    started = asyncio.Event()
    pids: list[int] = []

    def report(_: str, progress: float | None) -> None:
        pids.append(int(progress or 0))
        started.set()

    task = asyncio.create_task(pull_in_process(home, "any", report))
    await started.wait()
    assert os.getsid(pids[0]) == pids[0]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    os.kill(pids[0], 0)
    os.kill(pids[0], signal.SIGKILL)


async def test_the_child_speaks_the_requests_language(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """import json, os
words = os.environ["LORADECK_LANGUAGE"]
print(json.dumps({"error": {"kind": "", "title": words, "message": "", "hint": ""}}))"""
    child(monkeypatch, code)
    with speaking("zh_CN"):
        _, error = await run(home)
    assert isinstance(error, LoraDeckError)
    assert error.title == "zh_CN"


async def test_it_is_stopped_with_what_it_has_started(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "pid"
    child(
        monkeypatch,
        f"""import subprocess, sys
of_mine = subprocess.Popen([sys.executable, "-Ic", "import time; time.sleep(60)"])
open({str(told)!r}, "w").write(str(of_mine.pid))
print('{{"state": "converting", "progress": null}}', flush=True)
of_mine.wait()""",
    )
    stop = asyncio.Event()
    with pytest.raises(LoraDeckError, match="killed"):
        await pull_in_process(home, "any", lambda *_: stop.set(), stop)
    pid = int(told.read_text())
    with suppress(psutil.NoSuchProcess):
        assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # until it is waited for
