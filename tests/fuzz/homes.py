"""Write a home with tasks as the engine does, then damage its files."""

from __future__ import annotations

import copy
import functools
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from engine.tasks.journal import JOURNAL, JournalWriter
from engine.tasks.record import Status
from engine.tasks.store import TaskStore
from tests.engine.plan.make import plan_for
from tests.engine.tasks.journals import training
from tests.engine.tasks.make import record
from tests.fuzz.files import damaged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from engine.home import Home

_HOSTILE: tuple[Any, ...] = (
    *(None, True, 0, -1, 10**30, -(10**400), 1.5, 1e308, "", [], {}, [[]], {"": {}}),
    *("../../victim", "a/b", "..", ".", "/etc", "\x00", "\x1b[31m", "\u202e", "x" * 5000, "NaN"),
    *("hibernating", "running", "completed", "2026-01-01T00:00:00", "0001-01-01T00:00:00+23:59"),
    *("9999-12-31T23:59:59-23:59", "é" * 90, "e\u0301", " padded "),
)
_RAW = ('"\\ud800"', "NaN", "-Infinity", "1e999", "9" * 5000, "[" * 3000 + "]" * 3000, "{", '"')


@functools.cache
def _plan() -> str:
    """A plan as it lies in a task's folder."""
    return plan_for(100).model_dump_json()


def make_home(home: Home, random: Random) -> None:
    """Fill a home with tasks in all states, and damage some of it, once or more often."""
    store = TaskStore(home)
    for number in range(random.randrange(1, 5)):
        task = record(task_name=f"task {number}", id=f"{random.getrandbits(32):08x}")
        folder = home.task(task.id)
        folder.mkdir()
        (folder / "plan.json").write_text(_plan())
        store.put(task)
        if random.random() < 0.8:
            store.put(task := task.moved(Status.RUNNING))
            writer = JournalWriter(folder)
            for event in training(random, random.choice((3, 90)), random.randrange(1, 4)):
                writer.append(event)
            writer.close()
        if random.random() < 0.4:
            store.put(task.moved(random.choice((Status.PAUSED, Status.FAILED))))
    for _ in range(random.choice((1, 1, 2, 4))):
        _damage(home, random)


def _damage(home: Home, random: Random) -> None:
    """Damage one file: its values, its bytes, or what it is at all."""
    files = [home.store_file] * 4 + [path for path in home.tasks.glob("*/*") if path.is_file()]
    path = random.choice(sorted(files))
    if path.is_file():
        random.choice((_rewrite, _rewrite, _spoil, _spoil, _replace))(path, random)


def _spoil(path: Path, random: Random) -> None:
    """Damage bytes."""
    path.write_bytes(damaged(path.read_bytes(), random))


def _rewrite(path: Path, random: Random) -> None:
    """Change values, in one line of a journal."""
    try:
        text = path.read_text()
        lines = text.splitlines() if path.name == JOURNAL else [text]
        number = random.randrange(len(lines))
        value = json.loads(lines[number])
    except (ValueError, RecursionError):
        return _spoil(path, random)
    for _ in range(random.choice((1, 1, 3))):
        value = _changed(value, random)
    mark = '"raw"'
    written = json.dumps(value).replace(mark, random.choice(_RAW), 1)
    lines[number] = written.replace(mark, "1")
    path.write_text("\n".join(lines) + "\n")
    return None


def _changed(value: Any, random: Random) -> Any:
    """Change something at some depth: a value, a key, or whether it is there at all."""
    if not isinstance(value, (dict, list)) or not value or random.random() < 0.1:
        return copy.deepcopy(random.choice((*_HOSTILE, "raw", "raw", "raw")))
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = random.choice(keys)
    action = random.random()
    if action < 0.15:
        del value[key]
    elif action < 0.3 and isinstance(value, dict):
        name = random.choice((*map(str, _HOSTILE), "id", "quarantine", "1", "01"))
        value[name] = copy.deepcopy(value[key])
    else:
        value[key] = _changed(value[key], random)
    return value


def _replace(path: Path, random: Random) -> None:
    """Put something else in the file's place."""
    others = [other for other in path.parent.rglob("*") if other.is_file()]
    copied = random.choice(sorted(others))
    content = copied.read_bytes()
    path.unlink()
    ways: tuple[Callable[[], object], ...] = (
        path.mkdir,
        lambda: os.mkfifo(path),
        lambda: path.symlink_to(path),
        lambda: path.symlink_to("/dev/zero"),
        lambda: path.write_bytes(content),
        lambda: path.write_bytes(bytes(len(content))),
        lambda: path.touch(),
        lambda: shutil.rmtree(path.parent) if path.parent.parent.name == "tasks" else None,
    )
    random.choice(ways)()
