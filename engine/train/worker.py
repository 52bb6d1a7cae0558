"""The worker process: detached, at low priority, with its imports done before its task is known."""

from __future__ import annotations

import errno
import gc
import importlib
import logging
import os
import signal
import sys
import traceback
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.files import is_disk_full
from engine.home import Home
from engine.language import speak, tr
from engine.locks import ProcessLock, holder
from engine.settings import language_of
from engine.tasks.events import Event, TaskFailed
from engine.tasks.folding import last_event
from engine.tasks.journal import JournalWriter
from engine.text import reason_of

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.queues import Queue
    from pathlib import Path

    from engine.train.spec import TaskSpec

LOCK = "worker.lock"
LOG = "worker.log"
READY = "ready"
FINISH = signal.SIGUSR1
NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}
"""Hides every card: torch would count the memory of one that a run does not compute on."""
DISK_FULL = errno.ENOSPC
"""Exit status of a worker that could not even write its journal: the disk is full."""
_NICE = 10
log = logging.getLogger(__name__)


def worker_of(folder: Path) -> int | None:
    """Give the pid of the process that has a task; ``None`` where none has, 0 where unknown.

    Args:
        folder: The task's.
    """
    return holder(folder / LOCK)


@dataclass
class Requests:
    """What the worker was asked for by signals: ``SIGTERM`` to stop, ``SIGUSR1`` to finish."""

    stop: bool = False
    finish: bool = False

    def listen(self) -> None:
        """Take the signals from now on."""
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stop", True))
        signal.signal(FINISH, lambda *_: setattr(self, "finish", True))


class WorkerReporter:
    """Writes each event to the journal, then passes it to the server if that still lives."""

    def __init__(self, folder: Path, queue: Queue[Event], requests: Requests) -> None:
        self._requests = requests
        self._journal = JournalWriter(folder)
        self._queue = queue
        self._parent = os.getppid()

    def report(self, event: Event) -> None:
        """Journal an event and queue it; the queue never blocks."""
        numbered = self._journal.append(event)
        # A queue whose reader has died takes events for ever and grows: the journal suffices.
        if os.getppid() == self._parent:
            self._queue.put(numbered)

    def sync(self) -> None:
        """Make the journal so far survive a power cut."""
        self._journal.sync()

    @property
    def stop_requested(self) -> bool:
        """Whether to stop at the next step, to be gone on with later."""
        return self._requests.stop

    @property
    def finish_requested(self) -> bool:
        """Whether to end the training at the next step and keep what it has learned."""
        return self._requests.finish

    def close(self) -> None:
        """Make the journal durable."""
        self._journal.close()


def worker_main(connection: Connection, queue: Queue[Event], gpu: str) -> None:
    """Run in a spawned process: import, wait for one task on the pipe, work it off, end.

    Args:
        gpu: The UUID of the one GPU to see; empty for none.
    """
    server = os.getppid()
    # A session of its own: the terminal's hang-up and Ctrl-C do not reach it.
    os.setsid()
    os.nice(_NICE)
    # A worker that outlives the server must not hang at exit on a pipe that nobody reads.
    queue.cancel_join_thread()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(library_environment(gpu) | ({} if gpu else NO_GPU))
    _import_heavy_modules()
    try:
        connection.send(READY)
        spec: TaskSpec = connection.recv()
    except (EOFError, OSError):
        return  # the server ended, or let its spare worker go
    if os.getppid() == server:
        with suppress(LoraDeckError):  # settings of no use by now fail no training
            speak(language_of(Home(spec.folder.parents[1])))
        run_task(spec, queue)


def run_task(spec: TaskSpec, queue: Queue[Event]) -> None:
    """Train under the task's lock, with the task's log; every failure becomes an event."""
    requests = Requests(finish=spec.finish)
    requests.listen()  # before the lock: whoever sees it held may send a signal
    lock = ProcessLock(spec.folder / LOCK)
    try:
        if not lock.acquire(patience=2.0):
            return  # another worker has the task already
        if last_event(spec.folder, "task_completed"):
            return  # or had it until now: nothing is trained twice
        _write_output_to(spec.folder / LOG)
        with closing(WorkerReporter(spec.folder, queue, requests)) as reporter:
            _train(spec, reporter)
    except OSError as error:
        if not is_disk_full(error):
            raise
        sys.exit(DISK_FULL)


def _train(spec: TaskSpec, reporter: WorkerReporter) -> None:
    """Train, and report a failure in words."""
    try:
        importlib.import_module("engine.train.trainer").train(spec, reporter)
    except LoraDeckError as error:
        reporter.report(TaskFailed(title=error.title, message=error.message, hint=error.hint))
    except Exception as error:
        if is_disk_full(error):
            raise
        traceback.print_exc()
        reporter.report(_unforeseen(error, spec.folder / LOG))


def _unforeseen(error: Exception, log_file: Path) -> TaskFailed:
    """Put an exception that nobody expected into words."""
    return TaskFailed(
        title=tr("Training failed"),
        message=reason_of(error),
        hint=tr("The whole story is in {file}.", file=log_file),
    )


def library_environment(gpu: str) -> dict[str, str]:
    """Give what libraries read once, when they are imported.

    OpenMP threads must not spin while others work, but a very short spin (libgomp's count, some
    microseconds) saves a third of a step's time on two cores: adapters are many small products.
    TRL refuses several visible GPUs.

    Args:
        gpu: The UUID of the one GPU to see; empty where there is none to choose.
    """
    return {
        **({"CUDA_VISIBLE_DEVICES": gpu} if gpu else {}),
        "KMP_BLOCKTIME": "0",
        "OMP_WAIT_POLICY": "PASSIVE",
        "GOMP_SPINCOUNT": "1000",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    }


def _import_heavy_modules() -> None:
    """Import the trainer and what transformers and TRL load lazily; none of it touches a GPU."""
    for module in (
        "engine.train.trainer",
        "transformers.models.auto.modeling_auto",
        "trl.trainer.sft_trainer",
        "peft.tuners.lora",
    ):
        importlib.import_module(module)
    gc.freeze()


def _write_output_to(path: Path) -> None:
    """Send standard output and error, also of native code, to the task's log."""
    sys.stdout.flush()
    sys.stderr.flush()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
