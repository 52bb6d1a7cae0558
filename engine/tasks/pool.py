"""Spawns worker processes; keeps one spare, imports done, so that a training starts at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import queue as queues
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil

from engine.train.worker import worker_main

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from engine.settings import Settings
    from engine.tasks.events import Event
    from engine.train.spec import TaskSpec

log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5


class Worker:
    """One spawned process, waiting for its task or at work on it."""

    def __init__(self, gpu: str) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._pipe: Connection = ours
        self._events: Any = context.Queue()
        # Not a daemon: multiprocessing would end daemons with the server.
        self.process = context.Process(
            target=worker_main, args=(theirs, self._events, gpu), name="loradeck-worker"
        )
        self.process.start()
        theirs.close()
        self.born = time.monotonic()
        self.gpu = gpu

    @property
    def ready(self) -> bool:
        """Whether its imports are done."""
        return self._pipe.poll()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.is_alive()

    def give(self, spec: TaskSpec) -> None:
        """Hand the worker its task; it takes it up as soon as its imports are done."""
        # One that died meanwhile is noticed by its exit.
        with contextlib.suppress(OSError):
            self._pipe.send(spec)

    def release(self) -> None:
        """Let a worker without a task end."""
        self._pipe.close()
        threading.Thread(target=self.process.join, daemon=True).start()

    def pump(self, on_event: Callable[[Event], None], on_exit: Callable[[int], None]) -> None:
        """Call back, on the running event loop, for every event and for the process's end."""
        loop = asyncio.get_running_loop()

        def call(function: Callable[..., None], *args: object) -> None:
            # A closed loop means that the server is ending; the worker goes on.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(function, *args)

        def watch_events() -> None:
            while True:
                try:
                    call(on_event, self._events.get(timeout=_POLL_SECONDS))
                except queues.Empty:
                    if not self.alive:
                        return
                except (EOFError, OSError, ValueError):
                    return

        def watch_exit() -> None:
            self.process.join()
            call(on_exit, self.process.exitcode or 0)

        # Apart: a worker killed while it writes leaves the queue's reader waiting for ever.
        for target in (watch_events, watch_exit):
            threading.Thread(target=target, daemon=True).start()


class WorkerPool:
    """Gives workers out, and keeps a spare one where memory allows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._spare: Worker | None = None

    @property
    def spare_ready(self) -> bool:
        """Whether a worker with its imports done is waiting."""
        return self._spare is not None and self._spare.alive and self._spare.ready

    @property
    def spare_pid(self) -> int | None:
        """The pid of the spare worker; ``None`` where there is none."""
        return self._spare.process.pid if self._spare and self._spare.alive else None

    def warm(self, gpu: str) -> None:
        """Have a spare worker import, unless there is one, memory is short, or it is off."""
        if spare := self._spare_for(gpu):
            spare.born = time.monotonic()
            return
        self.close()
        if self._settings.spare_worker and self._memory_allows():
            self._spare = Worker(gpu)
            log.info("spare worker %s started", self._spare.process.pid)

    def take(self, gpu: str) -> Worker:
        """Give the spare worker if it sees that GPU, ready or not yet; else a new one."""
        if not (spare := self._spare_for(gpu)):
            return Worker(gpu)
        self._spare = None
        return spare

    def trim(self) -> None:
        """Let the spare worker go when it has waited long or memory is short."""
        if not self._spare:
            return
        waited = time.monotonic() - self._spare.born
        if waited > self._settings.spare_idle_minutes * 60 or not self._memory_allows():
            self.close()

    def close(self) -> None:
        """Let the spare worker go."""
        if self._spare:
            self._spare.release()
            self._spare = None

    def _spare_for(self, gpu: str) -> Worker | None:
        """Give the spare worker if it lives and sees that GPU."""
        return self._spare if self._spare and self._spare.alive and self._spare.gpu == gpu else None

    def _memory_allows(self) -> bool:
        """Tell whether enough memory is free to hold a worker that does nothing yet."""
        return psutil.virtual_memory().available > self._settings.spare_free_gb * 1e9
