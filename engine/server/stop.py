"""Ends a home's engine server, of whatever version it is."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING

from engine.errors import EngineUnavailableError, LoraDeckError
from engine.language import tr
from engine.locks import holder
from engine.server.client import EngineClient
from engine.server.main import LOCK

if TYPE_CHECKING:
    from engine.home import Home

_STOP_SECONDS = 15.0


async def stop_server(home: Home) -> bool:
    """Ask the server to end and wait until it has; workers go on.

    Returns:
        Whether one was running.

    Raises:
        EngineUnavailableError: It did not end.
    """
    lock = home.run / LOCK
    pid = holder(lock)
    if pid is None:
        return False
    async with EngineClient(home) as client:
        try:
            await client.stop()
        except LoraDeckError:
            # It holds the lock but does not answer, or answers another interface. Its tasks are
            # in the store and its workers go on: nothing is lost by ending it hard.
            if pid:
                os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _STOP_SECONDS
    # A client that follows a training starts the next server at once: another holder is no fault.
    while holder(lock) == pid:
        if time.monotonic() > deadline:
            raise EngineUnavailableError(
                tr("Engine does not stop"),
                tr("Process {pid} still holds {path}.", pid=pid, path=lock),
                tr("End it by hand: kill -9 {pid}", pid=pid),
            )
        await asyncio.sleep(0.05)
    return True
