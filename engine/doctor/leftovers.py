"""What crashes left behind: found, and on request removed where no process can need it."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.doctor.check import Check, warning
from engine.errors import ConflictError
from engine.files import size_of
from engine.jobs.process import pid_of
from engine.language import listed, mark, tr
from engine.locks import ProcessLock
from engine.server.main import LOCK
from engine.tasks.quarantine import Sorted
from engine.tasks.record import Status
from engine.tasks.storage import read_tables
from engine.text import human_bytes, some, visible
from engine.train.worker import worker_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.home import Home

_WRITTEN_SECONDS = 3600.0
"""A file that was touched so lately may still be being written."""
_DONE = (Status.COMPLETED, Status.CANCELLED)
"""A cancelled one that is gone on with writes its adapter anew."""


def check_leftovers(home: Home) -> Iterator[Check]:
    """Tell what ``clean`` would remove, and of downloads that were not finished."""
    if found := _stale(home):
        size = sum(map(_size, found))
        names = some([visible(path.name) for path in found])
        words = tr("left by crashes, {size}: {names}", size=human_bytes(size), names=names)
        yield warning(mark("leftovers"), words, "loradeck doctor --clean")
    yield from _downloads(home)


def clean(home: Home) -> list[Path]:
    """Remove what crashes left behind; no engine can start meanwhile.

    Returns:
        What was removed.

    Raises:
        ConflictError: An engine runs.
    """
    if not home.run.is_dir():
        return []
    lock = ProcessLock(home.run / LOCK)
    if not lock.acquire():
        raise ConflictError(
            tr("Engine runs"),
            tr("Only while no engine runs is it certain what nobody needs."),
            tr("loradeck engine stop; trainings go on."),
        )
    try:
        # The lock is ours: a socket is of a server that was killed
        found = [*_stale(home), *([home.socket] if home.socket.is_socket() else [])]
        return [path for path in found if _remove(path)]
    finally:
        lock.release()


def _remove(path: Path) -> bool:
    """Remove a file or a folder; tell whether it is gone."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        return True
    return False


def _stale(home: Home) -> list[Path]:
    """List what no process that could live will need."""
    return [
        path for path in (*_temporary(home), *_of_tasks(home), *_of_jobs(home)) if _is_old(path)
    ]


def _temporary(home: Home) -> Iterator[Path]:
    """Find files that were to replace others, and folders of removed tasks."""
    names = (home.store_file.name, home.calibrations.name)
    for name in names:
        yield from sorted(home.root.glob(f".{name}.*"))
    yield from sorted(home.tasks.glob(".removed-*"))
    for folder in sorted(home.tasks.glob("*")):
        if worker_of(folder) is None:
            yield from sorted(folder.glob(".*.json.*"))
            yield from sorted(folder.glob("checkpoints/.writing"))


def _of_tasks(home: Home) -> Iterator[Path]:
    """Find adapters that were not finished, of tasks that will not go on.

    A failed task's may be the finished one, which found its place taken.
    """
    try:
        found = Sorted.out_of(read_tables(home.store_file))
    except (OSError, ValueError):
        return  # without the tasks nothing is known of them
    done = {task.id for task in found.records.values() if task.status in _DONE}
    known = {*found.records, *(one.task_id for one in found.misfits)}
    for path in sorted((home.models / "lora").glob(".*-*")):
        kind, _, task_id = path.name.partition("-")
        folder = home.tasks / task_id
        gone = task_id not in known and not folder.exists()
        if kind in (".partial", ".old") and (gone or task_id in done) and worker_of(folder) is None:
            yield path


def _of_jobs(home: Home) -> Iterator[Path]:
    """Find exports that were not finished, of jobs that no process is at."""
    for path in sorted(home.exports.glob(".partial-*")):
        if pid_of(home.job(path.name.removeprefix(".partial-"))) is None:
            yield path


def _is_old(path: Path) -> bool:
    """Tell whether nothing was written there of late."""
    try:
        return time.time() - path.lstat().st_mtime > _WRITTEN_SECONDS
    except OSError:
        return False


def _size(path: Path) -> int:
    """Measure a file or a folder."""
    with suppress(OSError):
        return size_of(path) if path.is_dir() else path.lstat().st_size
    return 0


def _downloads(home: Home) -> Iterator[Check]:
    """Find what interrupted downloads and conversions left: folders with a leading dot."""
    left = sorted(home.models.glob(".*")) if home.models.is_dir() else []
    if left:
        names = listed(visible(path.name) for path in left)
        size = human_bytes(sum(map(_size, left)))
        words = tr("unfinished, {size}: {names}", size=size, names=names)
        hint = tr("loradeck models pull NAME finishes it, unless one is under way.")
        yield warning(mark("downloads"), words, hint)
