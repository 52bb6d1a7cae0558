"""The engine server of the home: whether it runs, answers, and is of this version."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.doctor.check import Check, ok, problem, warning
from engine.errors import LoraDeckError, OtherVersionError
from engine.locks import holder
from engine.server.main import LOCK

if TYPE_CHECKING:
    from engine.home import Home
    from engine.server.wire import EngineInfo


def check_engine(home: Home) -> Check:
    """Ask the server for its state; starts none."""
    pid = holder(home.run / LOCK)
    if pid is None:
        if not home.socket.exists():
            return ok("engine", "not running")
        words = "not running; a killed server left its socket behind"
        return warning("engine", words, "Nothing to do: the next start replaces it.")
    try:
        info = asyncio.run(_ask(home))
    except OtherVersionError as error:
        return warning("engine", f"running. {error.message}", error.hint)
    except LoraDeckError as error:
        words = f"process {pid} holds its lock, but does not answer: {error.message}"
        return problem("engine", words, "loradeck engine stop")
    tasks = f"{info.tasks_running} tasks running, {info.tasks_pending} queued"
    return ok("engine", f"running, process {info.pid}; {tasks}")


async def _ask(home: Home) -> EngineInfo:
    """Ask for the state; only here the client's libraries are needed."""
    from engine.server.client import EngineClient

    async with EngineClient(home) as client:
        return await client.info()
