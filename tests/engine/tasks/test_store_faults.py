"""A kill at any file operation, and a full disk from any on, leave the old state or the new."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from engine.tasks.record import Status
from engine.tasks.recovery import COPY
from engine.tasks.store import TaskStore
from tests.engine.tasks.faults import full_disk, killed_at, watched
from tests.engine.tasks.make import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.home import Home
    from engine.tasks.record import TaskRecord

_MANY = 100


def _state(home: Home) -> dict[str, Status]:
    """Open the store anew; its file must parse as it is."""
    if home.store_file.exists():
        json.loads(home.store_file.read_text())
    store = TaskStore(home)
    assert not store.misfits
    assert not list(home.root.glob("*.unreadable*"))
    return {task.id: task.status for task in store.all()}


def _add(home: Home, store: TaskStore) -> TaskRecord:
    """Create a task as the engine does."""
    task = record()
    home.task(task.id).mkdir()
    return store.put(task)


def _changes(home: Home) -> dict[str, Callable[[], object]]:
    """What a store goes through, one by name."""
    store = TaskStore(home)
    task, other = _add(home, store), _add(home, store)
    created = record(id="new00000")
    home.task(created.id).mkdir()
    return {
        "a change": lambda: store.put(task.moved(Status.RUNNING)),
        "a new task": lambda: store.put(created),
        "a removal": lambda: store.remove(other.id),
    }


@pytest.mark.parametrize("kind", ["a change", "a new task", "a removal"])
def test_a_kill_at_any_operation_leaves_old_or_new(home: Home, kind: str) -> None:
    change = _changes(home)[kind]
    old, seen = _state(home), []
    for number in itertools.count(1):
        if not killed_at(number, change):
            break
        seen.append(_state(home))
    new = _state(home)
    assert new != old
    assert {str(state) for state in seen} == {str(old), str(new)}
    assert len(seen) > 5


@pytest.mark.parametrize("kind", ["a change", "a new task", "a removal"])
def test_a_full_disk_leaves_the_old_and_room_lets_it_go_on(home: Home, kind: str) -> None:
    change = _changes(home)[kind]
    old, seen = _state(home), []
    for number in range(1, _MANY):
        try:
            with full_disk(number):
                change()
        except OSError:
            assert not list(home.root.rglob(".*.json.*"))
            seen.append(_state(home))
        else:
            break
    new = _state(home)
    assert new != old
    assert 3 < len(seen) < _MANY - 1
    assert all(state in (old, new) for state in seen)


def test_a_first_task_on_a_full_disk(home: Home) -> None:
    store, task = TaskStore(home), record()
    home.task(task.id).mkdir()
    with full_disk(1), pytest.raises(OSError, match="No space"):
        store.put(task)
    assert store.all() == []
    assert _state(home) == {}
    store.put(task)
    assert _state(home) == {task.id: Status.PENDING}


def test_what_is_renamed_is_durable_before_and_after(home: Home) -> None:
    store = TaskStore(home)
    _add(home, store)
    done: list[str] = []
    with watched(done.append):
        _add(home, store)
    for number, name in enumerate(done):
        if name == "replace":
            assert done[number - 1] == "fsync"
            assert done[number + 1 : number + 3] == ["open", "fsync"]
    assert done.count("replace") == 2  # the copy and the store


def test_a_store_mended_on_a_full_disk_is_stored_later(home: Home) -> None:
    store = TaskStore(home)
    task, other = _add(home, store), _add(home, store)
    home.store_file.write_text("{")
    with full_disk(1):
        again = TaskStore(home)
    assert {one.id for one in again.all()} == {task.id, other.id}
    again.put(task.moved(Status.RUNNING))
    assert _ids(home.store_file) == {task.id, other.id}


def test_a_copy_of_each_state_lies_in_the_tasks_folder(home: Home) -> None:
    store = TaskStore(home)
    task = store.put(_add(home, store).moved(Status.RUNNING))
    assert json.loads((home.task(task.id) / COPY).read_text())["status"] == "running"


def _ids(path: Path) -> set[str]:
    """List the tasks in a store's file."""
    return {one["id"] for one in json.loads(path.read_text())["tasks"].values()}
