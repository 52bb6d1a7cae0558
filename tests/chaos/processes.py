"""Finds the processes of one home: by its locks, and by the home that their environment names."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator
    from pathlib import Path

HARNESS = {os.getpid()}
"""Pids of the harness's own processes."""

_WORKERS = ("spawn_main", "multiprocessing.forkserver", "run_task")
"""What a spawned worker's command has in it, a zygote's, and one that is started as the second."""


def of_home(root: Path) -> Iterator[psutil.Process]:
    """Yield the living processes that were started for a home, without the harness's own."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            ours = process.environ().get("LORADECK_HOME") == str(root)
            if ours and process.status() != psutil.STATUS_ZOMBIE and process.pid not in HARNESS:
                yield process


def is_worker(process: psutil.Process) -> bool:
    """Tell a worker, which holds a lock or imports still, from servers and clients."""
    try:
        words = " ".join(process.cmdline())
        return any(sign in words for sign in _WORKERS)
    except psutil.Error:
        return False


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def send(pid: int, number: signal.Signals) -> bool:
    """Signal a process; tell whether it was there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
