"""The engine server of the home: whether it runs, answers, and is of this version."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.doctor.check import Check, ok, problem, warning
from engine.errors import LoraDeckError, OtherVersionError
from engine.language import mark, tr
from engine.locks import holder
from engine.server.main import LOCK

if TYPE_CHECKING:
    from engine.home import Home
    from engine.server.wire import EngineInfo

_NAME = mark("engine")


def check_engine(home: Home) -> Check:
    """Ask the server for its state; starts none."""
    pid = holder(home.run / LOCK)
    if pid is None:
        if not home.socket.exists():
            return ok(_NAME, tr("not running"))
        words = tr("not running; a killed server left its socket behind")
        return warning(_NAME, words, tr("Nothing to do: the next start replaces it."))
    try:
        info = asyncio.run(_ask(home))
    except OtherVersionError as error:
        return warning(_NAME, tr("running. {words}", words=error.message), error.hint)
    except LoraDeckError as error:
        words = tr(
            "process {pid} holds its lock, but does not answer: {why}", pid=pid, why=error.message
        )
        return problem(_NAME, words, "loradeck engine stop")
    return ok(
        _NAME,
        tr(
            "running, process {pid}; {running} tasks running, {queued} queued",
            pid=info.pid,
            running=info.tasks_running,
            queued=info.tasks_pending,
        ),
    )


async def _ask(home: Home) -> EngineInfo:
    """Ask for the state; only here the client's libraries are needed."""
    from engine.server.client import EngineClient

    async with EngineClient(home) as client:
        return await client.info()
