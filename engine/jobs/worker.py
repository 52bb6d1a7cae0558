"""A job's process: detached, at low priority; does one job and journals how it ended."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol, cast

from engine.errors import DiskFullError, LoraDeckError
from engine.files import is_disk_full
from engine.home import Home
from engine.jobs import journal
from engine.jobs.reporter import JobReporter
from engine.jobs.spec import FILE, JobCancelledError, JobRefusedError, JobSpec
from engine.language import speak, tr
from engine.locks import ProcessLock
from engine.settings import language_of
from engine.text import reason_of

if TYPE_CHECKING:
    from engine.results.export.types import Exported

LOCK = "worker.lock"
LOG = "worker.log"
WORK = {"export": "engine.results.export.work", "deploy": "engine.results.ollama.work"}
"""The module that does each kind of job, by its function ``work``; imported here alone."""
_NICE = 10
log = logging.getLogger(__name__)


class Work(Protocol):
    """What a module of ``WORK`` has."""

    def work(self, spec: JobSpec, reporter: JobReporter) -> Exported:
        """Do the job; what is half written lies in ``spec.partial`` until it is whole.

        Raises:
            LoraDeckError: It cannot be done.
            JobRefusedError: It was done, and is not handed over.
        """


def main(folder: Path) -> None:
    """Do the job of a folder, under its lock; one that has ended already is left alone."""
    os.nice(_NICE)
    with suppress(LoraDeckError):  # settings of no use by now fail no job
        speak(language_of(Home(folder.parents[1])))
    signal.signal(signal.SIGTERM, _cancel)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lock = ProcessLock(folder / LOCK)
    # A server may have settled it meanwhile, having found nobody
    if not lock.acquire(patience=2.0) or ((told := journal.read(folder)) and told.ended):
        return
    spec = JobSpec.model_validate_json((folder / FILE).read_bytes())
    reporter = JobReporter(folder, spec.begun())
    try:
        update = _outcome(spec, reporter, folder)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        remove_partial(spec)
    except JobCancelledError:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        remove_partial(spec)
        update = {"state": "cancelled"}
    reporter.end(**update)


def remove_partial(spec: JobSpec) -> None:
    """Remove what a job has left half written."""
    if spec.partial is not None:
        shutil.rmtree(spec.partial, ignore_errors=True)


def _cancel(*_: object) -> NoReturn:
    """End the job where it is; a second signal must not break off the tidying up."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise JobCancelledError


def _outcome(spec: JobSpec, reporter: JobReporter, folder: Path) -> dict[str, object]:
    """Do the work and give how the job ended; every failure gets words.

    Raises:
        JobCancelledError: It was asked to end.
    """
    try:
        module = cast("Work", importlib.import_module(WORK[spec.kind]))
        return {"state": "completed", "progress": 1.0, "exported": module.work(spec, reporter)}
    except Exception as error:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
            # Breaking an import off may come out as any fault of what was half imported
            raise JobCancelledError from error
        if isinstance(error, LoraDeckError):
            return _failed(error)
        log.exception("the job failed")
        return _failed(_disk_full() if is_disk_full(error) else _unforeseen(error, folder / LOG))


def _failed(error: LoraDeckError) -> dict[str, object]:
    """Turn an error's words into the job's."""
    return {
        "state": "failed",
        "error_title": error.title,
        "message": error.message,
        "hint": error.hint,
        "exported": error.exported if isinstance(error, JobRefusedError) else None,
    }


def _disk_full() -> DiskFullError:
    """Put a disk that filled up in the midst into words."""
    return DiskFullError(
        tr("Disk full"),
        tr("There was no room left while it was being written."),
        tr("Make room, then try again."),
    )


def _unforeseen(error: Exception, log_file: Path) -> LoraDeckError:
    """Put an exception that nobody expected into words."""
    return LoraDeckError(
        tr("Job failed"),
        reason_of(error),
        tr("The whole story is in {file}.", file=log_file),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
