"""What crashes leave behind is told, and removed where nobody can need it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engine import doctor
from engine.doctor import records
from engine.doctor.leftovers import clean
from engine.errors import ConflictError
from engine.jobs.worker import LOCK as JOB_LOCK
from engine.server.main import LOCK
from engine.tasks.record import Status
from engine.tasks.store import TaskStore
from engine.train.worker import LOCK as TASK_LOCK
from tests.engine.tasks.make import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.doctor.check import Check
    from engine.home import Home

_HOLD = (
    "import sys; from pathlib import Path; from engine.locks import ProcessLock; "
    "print(ProcessLock(Path(sys.argv[1])).acquire(), flush=True); sys.stdin.read()"
)


def _found(home: Home) -> dict[str, Check]:
    """Check a home, by name."""
    return {item.name: item for item in doctor.check(home)}


def _old(path: Path, *, folder: bool = False, age: float = 9e9) -> Path:
    """Make a file or folder that nobody has touched for long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if folder else path.write_bytes(b"x" * 1000)
    times = path.stat().st_mtime - age
    os.utime(path, (times, times))
    return path


@pytest.fixture
def hold() -> Iterator[Callable[[Path], None]]:
    """Have another process hold a lock."""
    started: list[subprocess.Popen[bytes]] = []

    def take(path: Path) -> None:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _HOLD, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"True\n"

    yield take
    for process in started:
        process.communicate()


def _with_tasks(home: Home) -> dict[str, str]:
    """Store a task in each state; give the ids by state."""
    store, ids = TaskStore(home), {}
    for status in Status:
        task = record(task_name=str(status), status=status)
        home.task(task.id).mkdir()
        ids[str(status)] = store.put(task).id
    return ids


def test_what_nobody_needs_is_told_and_removed(home: Home) -> None:
    ids = _with_tasks(home)
    stale = [
        _old(home.root / ".tasks.json.a1b2"),
        _old(home.task(ids["paused"]) / ".task.json.a1b2"),
        _old(home.task(ids["paused"]) / "checkpoints" / ".writing", folder=True),
        _old(home.removed_task("abc"), folder=True),
        _old(home.partial_adapter(ids["completed"]), folder=True),
        _old(home.models / "lora" / f".old-{ids['cancelled']}", folder=True),
        _old(home.partial_adapter("unknown"), folder=True),
        _old(home.exports / ".partial-0123abcd", folder=True),
    ]
    found = _found(home)["leftovers"]
    assert found.status == "warning"
    assert found.hint == "loradeck doctor --clean"
    assert "and 5 more" in found.detail
    assert sorted(clean(home)) == sorted(stale)
    assert not any(path.exists() for path in stale)
    assert "leftovers" not in _found(home)
    assert clean(home) == []


def test_what_may_be_needed_stays(home: Home, hold: Callable[[Path], None]) -> None:
    ids = _with_tasks(home)
    (home.tasks / "orphan").mkdir()
    hold(home.task(ids["completed"]) / TASK_LOCK)
    home.job("0123abcd").mkdir()
    hold(home.job("0123abcd") / JOB_LOCK)
    kept = [
        _old(home.root / ".tasks.json.new", age=10),
        _old(home.task(ids["completed"]) / ".task.json.a1b2"),
        _old(home.partial_adapter(ids["completed"]), folder=True),
        *(_old(home.partial_adapter(ids[s]), folder=True) for s in ("failed", "paused", "running")),
        _old(home.partial_adapter("orphan"), folder=True),
        _old(home.adapter(".partial"), folder=True),
        _old(home.adapter("my-bot"), folder=True),
        _old(home.exports / ".partial-0123abcd", folder=True),
        _old(home.exports / "my-bot-merged", folder=True),
        _old(home.root / "tasks.json.unreadable"),
        _old(home.task(ids["failed"]) / "checkpoints" / "checkpoint-3", folder=True),
    ]
    assert clean(home) == []
    assert all(path.exists() for path in kept)


def test_of_an_unreadable_store_no_adapter_is_removed(home: Home) -> None:
    kept = _old(home.partial_adapter("abc"), folder=True)
    home.store_file.write_text("{")
    assert clean(home) == []
    assert kept.exists()


def test_nothing_is_removed_while_an_engine_runs(home: Home, hold: Callable[[Path], None]) -> None:
    hold(home.run / LOCK)
    left = _old(home.removed_task("abc"), folder=True)
    with pytest.raises(ConflictError, match="Engine runs"):
        clean(home)
    assert left.exists()


def test_a_killed_servers_socket_is_removed(home: Home, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(home.socket))
    assert clean(home) == [home.socket]
    assert _found(home)["engine"].status == "ok"
    assert clean(type(home)(tmp_path / "none")) == []


def test_unfinished_downloads(home: Home) -> None:
    work = home.models / ".demo"
    work.mkdir()
    (work / "half.partial").write_bytes(b"x" * 2_000)
    assert _found(home)["downloads"].detail == "unfinished, 2 kB: .demo"


def test_records_that_do_not_fit_are_told(home: Home) -> None:
    task = TaskStore(home).put(record())
    tables = json.loads(home.store_file.read_text())
    tables["tasks"]["1"]["status"] = "hibernating\x1b[31m"
    home.store_file.write_text(json.dumps(tables))
    before = home.store_file.read_bytes()
    for _ in range(2):  # as it is, and after a start has put it into quarantine
        found = _found(home)["records"]
        assert found.status == "warning"
        assert f"1 kept apart: {task.id} (status: " in found.detail
        assert "\x1b" not in found.detail
        assert before == home.store_file.read_bytes() or TaskStore(home).misfits
        TaskStore(home)


def test_an_unreadable_store_is_told_and_not_touched(home: Home) -> None:
    home.store_file.write_text("{")
    assert "unreadable" in _found(home)["tasks"].detail
    assert home.store_file.read_text() == "{"
    TaskStore(home).put(record())
    found = _found(home)["unreadable files"]
    assert found.hint.endswith(f"rm -r {home.root}/tasks.json.unreadable")


def test_folders_without_a_record_are_told(home: Home) -> None:
    _with_tasks(home)
    _old(home.tasks / "orphan" / "worker.log")
    found = _found(home)["task folders"]
    assert found.detail == "without a record, 1 kB: orphan"
    assert found.hint.endswith(f"rm -r {home.tasks}/orphan")


def test_checkpoints_of_ended_tasks_and_a_large_cache(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _with_tasks(home)
    for status in ("completed", "failed", "running"):
        _old(home.task(ids[status]) / "checkpoints" / "checkpoint-1" / "weights")
    _old(home.cache / "encoded" / "rows")
    assert not {"checkpoints", "cached datasets"} & _found(home).keys()
    monkeypatch.setattr(records, "_NOT_USED", 500)
    found = _found(home)
    assert found["checkpoints"].detail.startswith("2 kB of 2 ended tasks")
    assert found["checkpoints"].hint.startswith("loradeck tasks delete ")
    assert found["cached datasets"].hint == f"rm -r {home.cache}"
