"""Says how a job ended whose process has gone, and tidies up after it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from engine.jobs import journal
from engine.jobs.process import kill_orphans, last_pid
from engine.jobs.worker import LOCK, LOG, remove_partial
from engine.language import tr
from engine.locks import ProcessLock
from engine.machine import boot_id
from engine.tasks.causes import Exit

if TYPE_CHECKING:
    from pathlib import Path

    from engine.jobs.spec import JobSpec
    from engine.jobs.types import Job

log = logging.getLogger(__name__)


def settle(spec: JobSpec, folder: Path, code: int | None, *, cancelled: bool) -> Job:
    """Give a job's last word; where its process went without one, find out why and write it.

    Args:
        spec: The job's specification.
        folder: The job's.
        code: Its process's exit code, negative for a signal; ``None`` where no server watched.
        cancelled: Whether the user had asked for its end.
    """
    pid = last_pid(folder)
    lock = ProcessLock(folder / LOCK)
    if not lock.acquire():
        return journal.read(folder) or spec.begun()  # another process has begun it after all
    try:
        job = journal.read(folder) or spec.begun()
        if job.ended:
            return job
        if spec.boot == boot_id():
            kill_orphans(pid)  # they would write on
        remove_partial(spec)
        how = Exit(code=code, pid=pid, boot=spec.boot, kills_before=spec.kills_before)
        update = {"state": "cancelled"} if cancelled else _failure(how, folder / LOG)
        job = job.model_copy(update=update | {"ended_at": time.time()})
        _write(folder, job)
        return job
    finally:
        lock.release()


def _failure(how: Exit, log_file: Path) -> dict[str, Any]:
    """Put the end of a process without a word into words."""
    return {
        "state": "failed",
        "error_title": tr("Job ended early"),
        "message": tr("It was not done, since {cause}.", cause=how.cause),
        "hint": tr("Close what uses memory, then try again.")
        if how.was_killed
        else tr("What it said last is in {file}.", file=log_file),
    }


def _write(folder: Path, job: Job) -> None:
    """Write a last word; on a full disk this server alone knows it, and the next finds it again."""
    try:
        journal.write(folder, job)
    except OSError as error:
        log.warning("%s: %s", folder, error)
