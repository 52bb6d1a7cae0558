"""The store: durable, atomic, and forgiving of what it finds."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engine.errors import LoraDeckError, NotFoundError
from engine.tasks.record import Status
from engine.tasks.store import TaskStore
from tests.engine.tasks.make import record

if TYPE_CHECKING:
    from engine.home import Home

_UPDATE_FOR_EVER = """
import sys
from pathlib import Path
from engine.home import Home
from engine.tasks.store import TaskStore
store = TaskStore(Home(Path(sys.argv[1])))
task = store.all()[0]
print("ready", flush=True)
number = 0
while True:
    number += 1
    store.put(task.model_copy(update={"message": "x" * (number % 5000)}))
"""


def test_what_was_put_is_there_for_the_next_one(home: Home) -> None:
    task = TaskStore(home).put(record(status=Status.COMPLETED, progress=100.0))
    assert TaskStore(home).all() == [task]
    assert home.store_file.stat().st_mode & 0o777 == 0o600


def test_newest_first(home: Home) -> None:
    store = TaskStore(home)
    tasks = [store.put(record(task_name=name)) for name in "abc"]
    assert store.all() == tasks[::-1]


def test_find_by_id_beginning_and_name(home: Home) -> None:
    store = TaskStore(home)
    task = store.put(record(id="abcd1234", task_name="Bot"))
    store.put(record(id="abff0000", task_name="other"))
    for reference in ("abcd1234", "abc", "Bot", "bot"):
        assert store.find(reference) == task
    with pytest.raises(NotFoundError, match=r"abcd1234, abff0000|abff0000, abcd1234"):
        store.find("ab")
    for reference in ("", "nothing"):
        with pytest.raises(NotFoundError, match="No such task"):
            store.find(reference)


def test_removed_is_gone(home: Home) -> None:
    store = TaskStore(home)
    task = store.put(record())
    store.remove(task.id)
    assert task.id not in store
    assert TaskStore(home).all() == []
    with pytest.raises(NotFoundError):
        store.remove(task.id)


def test_kill_in_mid_update_never_tears_the_file(home: Home) -> None:
    store = TaskStore(home)
    for number in range(20):
        store.put(record(task_name=f"task {number}"))
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _UPDATE_FOR_EVER, str(home.root)], stdout=subprocess.PIPE
        )
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            before = home.store_file.stat().st_mtime_ns
            while home.store_file.stat().st_mtime_ns == before:
                pass
            process.kill()
        assert len(json.loads(home.store_file.read_text())["tasks"]) == 20


def test_nothing_is_read_from_a_new_home(home: Home) -> None:
    assert TaskStore(home).all() == []
    assert not home.store_file.exists()


def test_a_removed_tasks_folder_has_another_name(home: Home) -> None:
    store, task = TaskStore(home), record()
    home.task(task.id).mkdir()
    store.put(task)
    assert store.remove(task.id) == home.removed_task(task.id)
    assert not home.task(task.id).exists()
    home.store_file.unlink()
    home.store_file.with_name("tasks.json.old").unlink()
    assert TaskStore(home).all() == []


def test_what_a_newer_version_added_survives(home: Home) -> None:
    store, task = TaskStore(home), record()
    store.put(task)
    tables = json.loads(home.store_file.read_text())
    (key,) = tables["tasks"]
    tables["tasks"][key] |= {"colour": {"deep": [1]}, "huge": 10**30}
    tables["tasks"][key]["training_params"]["twist"] = 3
    tables["schedules"] = {"1": {"every": "night"}}
    tables["format"] = 2
    home.store_file.write_text(json.dumps(tables))
    store = TaskStore(home)
    store.put(store.get(task.id).moved(Status.RUNNING, "on it"))
    store.put(record(task_name="second"))
    after = json.loads(home.store_file.read_text())
    kept = next(one for one in after["tasks"].values() if one["id"] == task.id)
    assert (kept["colour"], kept["huge"]) == ({"deep": [1]}, 10**30)
    assert kept["training_params"]["twist"] == 3
    assert kept["message"] == "on it"
    assert (after["schedules"], after["format"]) == ({"1": {"every": "night"}}, 2)


def test_opening_a_sound_store_looks_into_no_folder(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TaskStore(home)
    for number in range(3):
        store.put(record(task_name=str(number)))
    monkeypatch.setattr("engine.tasks.recovery._folders", pytest.fail)
    before = home.store_file.stat().st_mtime_ns
    assert len(TaskStore(home).all()) == 3
    assert home.store_file.stat().st_mtime_ns == before


def test_a_file_that_may_not_be_read_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    TaskStore(home).put(record())

    def refuse(_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(LoraDeckError, match=r"tasks\.json cannot be read: Permission denied"):
        TaskStore(home)
    monkeypatch.undo()
    assert len(TaskStore(home).all()) == 1
