"""What the server sends to workers, which may be gone by then."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import TYPE_CHECKING

from engine.train.worker import worker_of

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone by now."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        log.info("process %s was gone already", pid)


async def end_late(folder: Path, pid: int, grace: float) -> None:
    """Kill a worker that still has its task after its grace, in seconds.

    One that came after it is left alone.
    """
    await asyncio.sleep(grace)
    if worker_of(folder) == pid:
        log.warning("worker %s did not stop in time; killing it (%s)", pid, folder)
        send(pid, signal.SIGKILL)
