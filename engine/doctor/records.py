"""The tasks: whether their records can be read, and what lies about of those that have ended."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from engine.doctor.check import Check, ok, problem, warning
from engine.files import size_of
from engine.tasks.quarantine import Sorted
from engine.tasks.storage import read_tables
from engine.text import human_bytes, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from engine.home import Home

_NAMED = 3
_NOT_USED = 1_000_000_000
"""Bytes of checkpoints or cache that are worth a word."""


def check_records(home: Home) -> Iterator[Check]:
    """Look at the store and the task folders, as they are; changes nothing."""
    try:
        found = Sorted.out_of(read_tables(home.store_file))
    except FileNotFoundError:
        found = Sorted()
    except ValueError as error:
        words = f"{visible(str(home.store_file))} is unreadable: {visible(str(error))}"
        hint = "Nothing to do: the next start rebuilds it from its older generation and the tasks."
        yield warning("tasks", words, hint)
        return
    except OSError as error:
        words = f"{visible(str(home.store_file))}: {error.strerror}"
        yield problem("tasks", words, f"chmod u+rw {shlex.quote(str(home.store_file))}")
        return
    yield ok("tasks", f"{len(found.records)}")
    yield from _apart(home, found)
    yield from _without_record(home, found)
    yield from _checkpoints(home, found)
    yield from _cache(home)


def _apart(home: Home, found: Sorted) -> Iterator[Check]:
    """Tell of records that do not fit, and of files that could not be read."""
    if found.misfits:
        shown = (
            f"{one.task_id[:40] or 'one without an id'} ({one.reason})" for one in found.misfits
        )
        words = f"{len(found.misfits)} kept apart: {_some(shown)}"
        hint = f"A newer version may read them. They lie under quarantine in {home.store_file}"
        yield warning("records", visible(words), hint)
    places = ("*.unreadable*", "tasks/*/*.unreadable*")
    if aside := sorted(path for place in places for path in home.root.glob(place)):
        words = f"set aside, as they were unreadable: {_some(path.name for path in aside)}"
        hint = f"Look into them; then: rm -r {shlex.join(map(str, aside))}"
        yield warning("unreadable files", visible(words), hint)


def _without_record(home: Home, found: Sorted) -> Iterator[Check]:
    """Find task folders that belong to no task."""
    known = {*found.records, *(one.task_id for one in found.misfits)}
    left = [path for path in _folders(home.tasks) if path.name not in known]
    if left:
        size = sum(map(size_of, left))
        words = f"without a record, {human_bytes(size)}: {_some(path.name for path in left)}"
        hint = f"If none is of use: rm -r {shlex.join(map(str, left))}"
        yield warning("task folders", visible(words), hint)


def _checkpoints(home: Home, found: Sorted) -> Iterator[Check]:
    """Sum up the checkpoints of ended tasks, which nothing needs but another try."""
    ended = (task for task in found.records.values() if task.status.ended)
    folders = [home.task(task.id) / "checkpoints" for task in ended]
    sizes = {path: size for path in folders if path.is_dir() and (size := size_of(path))}
    if (total := sum(sizes.values())) > _NOT_USED:
        largest = max(sizes, key=lambda path: sizes[path])
        words = f"{human_bytes(total)} of {len(sizes)} ended tasks, most in {visible(str(largest))}"
        hint = f"loradeck tasks delete {largest.parent.name}"
        yield warning("checkpoints", words, f"{hint}; the adapter stays unless you say --adapter.")


def _cache(home: Home) -> Iterator[Check]:
    """Measure the cache where it is large."""
    if home.cache.is_dir() and (size := size_of(home.cache)) > _NOT_USED:
        words = f"{human_bytes(size)} of scanned and encoded datasets, which are made again at need"
        yield ok("cached datasets", words, f"rm -r {shlex.quote(str(home.cache))}")


def _folders(folder: Path) -> list[Path]:
    """List the folders in a folder whose names begin with no dot."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")


def _some(names: Iterable[str]) -> str:
    """Name the first few."""
    listed = list(names)
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return ", ".join(listed[:_NAMED]) + more
