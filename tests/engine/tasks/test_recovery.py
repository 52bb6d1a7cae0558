"""A lost store is rebuilt from its older generation and the task folders; misfits are kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from engine.tasks.events import AdapterSaved, TaskCompleted, TaskFailed, TaskStarted, TaskStopped
from engine.tasks.journal import JournalWriter
from engine.tasks.quarantine import read_record
from engine.tasks.record import Status
from engine.tasks.recovery import COPY
from engine.tasks.store import TaskStore
from engine.train.worker import LOCK
from tests.engine.plan.make import plan_for
from tests.engine.tasks.make import record, step

if TYPE_CHECKING:
    from engine.home import Home
    from engine.tasks.events import Event
    from engine.tasks.record import TaskRecord

_DONE = TaskCompleted(seconds=1, train_loss=0.5, peak_memory=1)
_STARTED = TaskStarted(pid=1, device="CPU")


def _add(home: Home, store: TaskStore, **changes: Any) -> TaskRecord:
    """Create a task as the engine does."""
    task = record(**changes)
    home.task(task.id).mkdir()
    return store.put(task)


def _journal(home: Home, task_id: str, *events: Event) -> None:
    """Write a task's journal."""
    writer = JournalWriter(home.task(task_id))
    for event in events:
        writer.append(event)
    writer.close()


def _lose(home: Home, how: str) -> None:
    """Damage or remove the store's files."""
    old = home.store_file.with_name("tasks.json.old")
    if how == "no file":
        home.store_file.unlink()
        old.unlink()
    else:
        damage = {
            "torn": home.store_file.read_bytes()[:-20],
            "zeros": bytes(home.store_file.stat().st_size),
            "empty": b"",
            "other JSON": b'{"tasks": [1, 2]}',
            "deep": b"[" * 100_000,
        }
        if how == "a folder":
            home.store_file.unlink()
            home.store_file.mkdir()
        elif how == "a pipe":
            home.store_file.unlink()
            os.mkfifo(home.store_file)
        else:
            home.store_file.write_bytes(damage[how])


@pytest.mark.parametrize(
    "how", ["torn", "zeros", "empty", "other JSON", "deep", "a folder", "a pipe", "no file"]
)
def test_a_lost_file_is_rebuilt_with_the_newest_states(home: Home, how: str) -> None:
    store = TaskStore(home)
    first = _add(home, store, task_name="first")
    second = store.put(_add(home, store, task_name="second").moved(Status.RUNNING))
    first = store.put(first.moved(Status.CANCELLED, "Cancelled before it started."))
    _lose(home, how)
    again = TaskStore(home)
    assert {task.id: task for task in again.all()} == {first.id: first, second.id: second}
    assert bool(list(home.root.glob("*.unreadable"))) == (how != "no file")
    assert len(json.loads(home.store_file.read_text())["tasks"]) == 2


def test_each_unreadable_file_is_kept(home: Home) -> None:
    store = TaskStore(home)
    _add(home, store)
    for content in ("first", "second"):
        home.store_file.write_text(content)
        TaskStore(home)
    kept = sorted(path.read_text() for path in home.root.glob("tasks.json.unreadable*"))
    assert kept == ["first", "second"]


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ((), Status.PENDING),
        ((_STARTED, TaskStopped(step=3)), Status.PENDING),
        ((_STARTED, step(1), _DONE), Status.RUNNING),
        ((_STARTED, TaskFailed(title="t", message="m")), Status.RUNNING),
    ],
)
def test_what_happened_since_the_older_generation_is_left_to_be_settled(
    home: Home, events: tuple[Event, ...], status: Status
) -> None:
    store = TaskStore(home)
    task = _add(home, store)
    _add(home, store, task_name="other")
    (home.task(task.id) / COPY).write_bytes(b"\0" * 50)
    _journal(home, task.id, *events)
    home.store_file.write_text("")
    assert TaskStore(home).get(task.id).status is status


def test_a_task_whose_worker_runs_is_adopted(home: Home) -> None:
    store = TaskStore(home)
    task = _add(home, store)
    _add(home, store, task_name="other")
    (home.task(task.id) / COPY).unlink()
    code = (
        "import sys; from pathlib import Path; from engine.locks import ProcessLock; "
        "print(ProcessLock(Path(sys.argv[1])).acquire(), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-P", "-c", code, str(home.task(task.id) / LOCK)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"True\n"
        home.store_file.write_text("")
        assert TaskStore(home).get(task.id).status is Status.RUNNING
        process.communicate()


@pytest.fixture
def plan_text() -> str:
    """A plan as a task's folder holds it."""
    return plan_for(100).model_dump_json()


@pytest.mark.parametrize(
    ("events", "status", "name"),
    [
        ((), Status.PAUSED, "recovered-abc123"),
        ((_STARTED, step(1)), Status.PAUSED, "recovered-abc123"),
        (
            (_STARTED, AdapterSaved(path="/h/models/lora/My bot", size_bytes=1), _DONE),
            Status.RUNNING,
            "My bot",
        ),
    ],
)
def test_without_a_record_one_is_made_from_plan_and_journal(
    home: Home, plan_text: str, events: tuple[Event, ...], status: Status, name: str
) -> None:
    folder = home.task("abc123")
    folder.mkdir()
    (folder / "plan.json").write_text(plan_text)
    _journal(home, "abc123", *events)
    (task,) = TaskStore(home).all()
    assert (task.id, task.status, task.task_name) == ("abc123", status, name)
    assert task.training_params["lora_rank"] > 0
    assert task.output_path == str(home.adapter(name))
    assert TaskStore(home).all() == [task]


def test_folders_of_which_nothing_can_be_made_are_left_alone(
    home: Home, plan_text: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("empty", "damaged", "bad name", ".removed-abc"):
        (home.tasks / name).mkdir()
    (home.tasks / "damaged" / "plan.json").write_text('{"base_model": 3}')
    (home.tasks / "bad name" / "plan.json").write_text(plan_text)
    (home.tasks / "a file").write_text("x")
    store = TaskStore(home)
    assert store.all() == []
    assert len(list(home.tasks.iterdir())) == 5
    assert "damaged is left alone" in caplog.text


def _spoil(home: Home, task: TaskRecord, **changes: Any) -> None:
    """Change a record in the store's file."""
    tables = json.loads(home.store_file.read_text())
    for document in tables["tasks"].values():
        if document["id"] == task.id:
            document.update(changes)
    home.store_file.write_text(json.dumps(tables))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "hibernating"},
        {"id": "../../x"},
        {"id": "a/b"},
        {"task_name": "../x"},
        {"task_name": ""},
        {"training_params": [1]},
        {"created_at": "2026-01-01T00:00:00"},
        {"progress": 1e9},
    ],
)
def test_a_record_that_does_not_fit_is_kept_apart(home: Home, changes: dict[str, Any]) -> None:
    store = TaskStore(home)
    good, bad = store.put(record()), store.put(record(task_name="bad"))
    _spoil(home, bad, **changes)
    for _ in range(2):
        store = TaskStore(home)
        assert store.all() == [good]
        (misfit,) = store.misfits
        assert misfit.document == bad.model_dump(mode="json") | changes
        assert misfit.reason.startswith(next(iter(changes)))
        store.put(good)


@pytest.mark.parametrize("key", ["id", "status", "created_at"])
def test_what_a_record_has_lost_is_not_made_up(home: Home, key: str) -> None:
    TaskStore(home).put(record(status=Status.COMPLETED))
    tables = json.loads(home.store_file.read_text())
    del tables["tasks"]["1"][key]
    home.store_file.write_text(json.dumps(tables))
    store = TaskStore(home)
    assert store.all() == []
    assert [one.reason for one in store.misfits] == [f"{key}: missing"]


def test_a_newer_versions_record_comes_back_with_that_version(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TaskStore(home)
    task = store.put(record())
    _spoil(home, task, status="hibernating")
    assert TaskStore(home).all() == []

    def newer(document: dict[str, Any]) -> TaskRecord:
        return read_record(document | {"status": "paused"})

    monkeypatch.setattr("engine.tasks.quarantine.read_record", newer)
    store = TaskStore(home)
    assert store.get(task.id).status is Status.PAUSED
    assert not store.misfits
    assert "quarantine" not in json.loads(home.store_file.read_text())


def test_a_damaged_record_is_taken_from_its_folder(home: Home) -> None:
    store = TaskStore(home)
    task = store.put(_add(home, store).moved(Status.RUNNING))
    _spoil(home, task, status="runninh")
    store = TaskStore(home)
    assert store.all() == [task]
    assert [one.document["status"] for one in store.misfits] == ["runninh"]
    store.put(task.moved(Status.CANCELLED))
    store.remove(task.id)
    assert not store.misfits
    again = TaskStore(home)
    assert (again.all(), again.misfits) == ([], ())


def test_a_newer_copy_is_kept_apart_too(home: Home) -> None:
    store = TaskStore(home)
    task = _add(home, store)
    (home.task(task.id) / COPY).write_text(
        json.dumps(task.model_dump(mode="json") | {"status": "hibernating"})
    )
    for path in home.root.glob("tasks.json*"):
        path.unlink()
    store = TaskStore(home)
    assert store.all() == []
    assert [one.task_id for one in store.misfits] == [task.id]


def test_of_two_records_with_one_id_one_is_kept_apart(home: Home) -> None:
    store = TaskStore(home)
    first, second = store.put(record()), store.put(record(task_name="second"))
    _spoil(home, second, id=first.id)
    store = TaskStore(home)
    assert store.all() == [first]
    assert [one.document["task_name"] for one in store.misfits] == ["second"]


def test_odd_numbers_and_entries_do_no_harm(home: Home) -> None:
    task = record(created_at=datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    tables = {"tasks": {"x": task.model_dump(mode="json"), "01": 7, "1": None}, "quarantine": [3]}
    home.store_file.write_text(json.dumps(tables))
    for _ in range(2):
        store = TaskStore(home)
        assert store.all() == [task]
        assert sorted(map(str, (one.document for one in store.misfits))) == ["7", "None", "[3]"]
        store.put(task)
    store.remove(task.id)
    assert len(TaskStore(home).misfits) == 3
