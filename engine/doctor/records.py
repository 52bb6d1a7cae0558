"""The tasks: whether their records can be read, and what lies about of those that have ended."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from engine.doctor.check import Check, ok, problem, warning
from engine.files import size_of
from engine.language import mark, tr
from engine.tasks.quarantine import Sorted
from engine.tasks.storage import read_tables
from engine.text import human_bytes, some, visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.home import Home

_TASKS = mark("tasks")
_NOT_USED = 1_000_000_000
"""Bytes of checkpoints or cache that are worth a word."""


def check_records(home: Home) -> Iterator[Check]:
    """Look at the store and the task folders, as they are; changes nothing."""
    try:
        found = Sorted.out_of(read_tables(home.store_file))
    except FileNotFoundError:
        found = Sorted()
    except ValueError as error:
        words = tr(
            "{path} is unreadable: {why}",
            path=visible(str(home.store_file)),
            why=visible(str(error)),
        )
        hint = tr(
            "Nothing to do: the next start rebuilds it from its older generation and the tasks."
        )
        yield warning(_TASKS, words, hint)
        return
    except OSError as error:
        words = f"{visible(str(home.store_file))}: {error.strerror}"
        yield problem(_TASKS, words, f"chmod u+rw {shlex.quote(str(home.store_file))}")
        return
    yield ok(_TASKS, f"{len(found.records)}")
    yield from _apart(home, found)
    yield from _without_record(home, found)
    yield from _checkpoints(home, found)
    yield from _cache(home)


def _apart(home: Home, found: Sorted) -> Iterator[Check]:
    """Tell of records that do not fit, and of files that could not be read."""
    if found.misfits:
        shown = [
            f"{one.task_id[:40] or tr('one without an id')} ({one.reason})" for one in found.misfits
        ]
        words = tr("{count} kept apart: {names}", count=len(shown), names=some(shown))
        hint = tr(
            "A newer version may read them. They lie under quarantine in {path}",
            path=home.store_file,
        )
        yield warning(mark("records"), visible(words), hint)
    places = ("*.unreadable*", "tasks/*/*.unreadable*")
    if aside := sorted(path for place in places for path in home.root.glob(place)):
        names = some([path.name for path in aside])
        words = tr("set aside, as they were unreadable: {names}", names=names)
        hint = tr("Look into them; then: {command}", command=_removing(*aside))
        yield warning(mark("unreadable files"), visible(words), hint)


def _without_record(home: Home, found: Sorted) -> Iterator[Check]:
    """Find task folders that belong to no task."""
    known = {*found.records, *(one.task_id for one in found.misfits)}
    left = [path for path in _folders(home.tasks) if path.name not in known]
    if left:
        size = human_bytes(sum(map(size_of, left)))
        names = some([path.name for path in left])
        words = tr("without a record, {size}: {names}", size=size, names=names)
        hint = tr("If none is of use: {command}", command=_removing(*left))
        yield warning(mark("task folders"), visible(words), hint)


def _checkpoints(home: Home, found: Sorted) -> Iterator[Check]:
    """Sum up the checkpoints of ended tasks, which nothing needs but another try."""
    ended = (task for task in found.records.values() if task.status.ended)
    folders = [home.task(task.id) / "checkpoints" for task in ended]
    sizes = {path: size for path in folders if path.is_dir() and (size := size_of(path))}
    if (total := sum(sizes.values())) > _NOT_USED:
        largest = max(sizes, key=lambda path: sizes[path])
        words = tr(
            "{size} of {count} ended tasks, most in {path}",
            size=human_bytes(total),
            count=len(sizes),
            path=visible(str(largest)),
        )
        hint = tr(
            "loradeck tasks delete {id}; the adapter stays unless you say --adapter.",
            id=largest.parent.name,
        )
        yield warning(mark("checkpoints"), words, hint)


def _cache(home: Home) -> Iterator[Check]:
    """Measure the cache where it is large."""
    if home.cache.is_dir() and (size := size_of(home.cache)) > _NOT_USED:
        words = tr(
            "{size} of scanned and encoded datasets, which are made again at need",
            size=human_bytes(size),
        )
        yield ok(mark("cached datasets"), words, _removing(home.cache))


def _folders(folder: Path) -> list[Path]:
    """List the folders in a folder whose names begin with no dot."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")


def _removing(*paths: Path) -> str:
    """Give the command that removes files and folders."""
    return f"rm -r {shlex.join(map(str, paths))}"
