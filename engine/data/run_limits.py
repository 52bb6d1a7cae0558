"""Limits on time and memory while a stranger's template runs, in whatever process it does."""

from __future__ import annotations

import contextlib
import math
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 10.0
"""Of processor time: the longest row takes one."""
MEMORY = 1024**3
"""Bytes beyond what the process holds."""
_AGAIN = 0.5
"""Seconds after which the alarm comes once more, should it have been lost in a finalizer."""
_STALE = 0.25
"""Seconds for which the memory that is held is taken to be the same."""
_STATM = Path("/proc/self/statm")


class RanTooLongError(Exception):
    """What ran under limits did not end in time."""


def never_ends(error: RanTooLongError, row: int | None = None) -> LoraDeckError:
    """Word that a template ran for too long, on which row where that is known."""
    words = tr("The model's chat template {failure}.", failure=error)
    return LoraDeckError(
        tr("Chat template does not end"),
        words if row is None else tr("Row {row}: {words}", row=row, words=words),
        tr("Choose another base model, or take such rows out."),
    )


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Let what follows run for so long and take so much memory.

    Time is limited in a process's main thread; memory where the system counts what a process may
    write to, as Linux does. The limits of the processes that look at datasets hold besides.

    Raises:
        RanTooLongError: It did not end in time.
        MemoryError: It wanted more.
    """
    with _memory_limited(), _ALARM.set():
        yield


class _Alarm:
    """The kernel's interruption of what runs for too long."""

    def __init__(self) -> None:
        self._ready = self._running = False

    @contextlib.contextmanager
    def set(self) -> Iterator[None]:
        """Interrupt what follows unless it ends in time."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        if not self._ready:  # once and for all: rows follow each other fast
            signal.signal(signal.SIGPROF, self._strike)
            self._ready = True
        self._running = True
        try:
            signal.setitimer(signal.ITIMER_PROF, SECONDS, _AGAIN)
            yield
        finally:
            self._running = False
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _strike(self, *_: object) -> None:
        """Give up, unless it has just ended."""
        if self._running:
            raise RanTooLongError(tr("did not end within {seconds:g} s", seconds=SECONDS))


@contextlib.contextmanager
def _memory_limited() -> Iterator[None]:
    """Lower the limit on what the process may write to; never raise it."""
    if sys.platform != "linux":
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _HELD.now() + MEMORY
    if soft != resource.RLIM_INFINITY and soft <= wanted:
        yield
        return
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


class _Held:
    """The bytes that count against the limit: data and stack (proc(5))."""

    def __init__(self) -> None:
        self._bytes, self._read = 0, -math.inf

    def now(self) -> int:
        """Give them; rows follow each other fast, and reading costs more than rendering one."""
        if (now := time.monotonic()) - self._read > _STALE:
            pages = int(_STATM.read_bytes().split()[5])
            self._bytes, self._read = pages * resource.getpagesize(), now
        return self._bytes


_HELD, _ALARM = _Held(), _Alarm()
