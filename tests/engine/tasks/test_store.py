"""The store: durable, atomic, and forgiving of what it finds."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engine.errors import NotFoundError
from engine.tasks.record import Status
from engine.tasks.store import AtomicStorage, TaskStore
from tests.engine.tasks.make import record

if TYPE_CHECKING:
    from pathlib import Path

_UPDATE_FOR_EVER = """
import sys
from pathlib import Path
from engine.tasks.store import TaskStore
store = TaskStore(Path(sys.argv[1]))
task = store.all()[0]
print("ready", flush=True)
number = 0
while True:
    number += 1
    store.put(task.model_copy(update={"message": "x" * (number % 5000)}))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.json"


def test_what_was_put_is_there_for_the_next_one(path: Path) -> None:
    task = TaskStore(path).put(record(status=Status.COMPLETED, progress=100.0))
    assert TaskStore(path).all() == [task]
    assert path.stat().st_mode & 0o777 == 0o600


def test_newest_first(path: Path) -> None:
    store = TaskStore(path)
    tasks = [store.put(record(task_name=name)) for name in "abc"]
    assert store.all() == tasks[::-1]


def test_find_by_id_beginning_and_name(path: Path) -> None:
    store = TaskStore(path)
    task = store.put(record(id="abcd1234", task_name="Bot"))
    store.put(record(id="abff0000", task_name="other"))
    for reference in ("abcd1234", "abc", "Bot", "bot"):
        assert store.find(reference) == task
    with pytest.raises(NotFoundError, match=r"abcd1234, abff0000|abff0000, abcd1234"):
        store.find("ab")
    for reference in ("", "nothing"):
        with pytest.raises(NotFoundError, match="No such task"):
            store.find(reference)


def test_removed_is_gone(path: Path) -> None:
    store = TaskStore(path)
    task = store.put(record())
    store.remove(task.id)
    assert task.id not in store
    assert TaskStore(path).all() == []
    with pytest.raises(NotFoundError):
        store.remove(task.id)


def test_unreadable_file_is_set_aside_for_the_older_generation(path: Path) -> None:
    store = TaskStore(path)
    first = store.put(record())
    store.put(record(task_name="second"))
    path.write_text('{"tasks": {"1": {"id"')
    assert TaskStore(path).all() == [first]
    assert path.with_name("tasks.json.unreadable").exists()


def test_record_that_does_not_fit_is_left_out(path: Path) -> None:
    store = TaskStore(path)
    good = store.put(record())
    data = json.loads(path.read_text())
    data["tasks"]["99"] = {"id": "bad", "status": "no such state"}
    path.write_text(json.dumps(data))
    assert TaskStore(path).all() == [good]


def test_full_disk_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = TaskStore(path)
    task = store.put(record())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.put(record(task_name="second"))
    monkeypatch.undo()
    assert TaskStore(path).all() == [task]
    assert not list(path.parent.glob(".tasks.json.*"))


def test_kill_in_mid_update_never_tears_the_file(path: Path) -> None:
    store = TaskStore(path)
    for number in range(20):
        store.put(record(task_name=f"task {number}"))
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _UPDATE_FOR_EVER, str(path)], stdout=subprocess.PIPE
        )
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            before = path.stat().st_mtime_ns
            while path.stat().st_mtime_ns == before:
                pass
            process.kill()
        assert len(json.loads(path.read_text())["tasks"]) == 20


def test_storage_reads_nothing_from_a_new_home(path: Path) -> None:
    assert AtomicStorage(path).read() is None
