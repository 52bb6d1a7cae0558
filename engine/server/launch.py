"""Starts a home's engine server on demand, free of races."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from engine.errors import EngineUnavailableError
from engine.language import tr
from engine.server.listen import answers
from engine.server.main import LOG
from engine.text import visible

if TYPE_CHECKING:
    from engine.home import Home

_START_SECONDS = 30.0


async def ensure_server(home: Home) -> None:
    """See to it that the home's server answers.

    Raises:
        LoraDeckError: The home cannot be written.
        EngineUnavailableError: The server did not start.
    """
    await asyncio.to_thread(_ensure, home)


def _ensure(home: Home) -> None:
    """Start the server unless it answers; a second client waits for the first one's start."""
    home.prepare()
    if answers(home.socket):
        return
    try:
        with launching(home):
            if not answers(home.socket):
                _start(home)
    except Timeout as error:
        raise _no_start(home) from error


def launching(home: Home) -> FileLock:
    """Give the lock that one who starts or replaces the server holds meanwhile."""
    return FileLock(home.run / "launch.lock", timeout=_START_SECONDS, mode=0o600)


def _start(home: Home) -> None:
    """Spawn the server; the process that is started here ends when it listens.

    ``-c`` rather than ``-m``: spawned workers would import the main module again. ``-P`` keeps
    the user's present folder, which may hold an ``engine`` of its own, out of the import path.
    """
    command = [
        sys.executable,
        "-P",
        "-c",
        "import sys; from engine.server.main import main; main(sys.argv[1])",
        str(home.root),
    ]
    log = home.run / LOG
    log.touch(mode=0o600)
    with log.open("ab") as output:
        started = subprocess.run(
            command,
            cwd=home.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            check=False,
        )
    if started.returncode or not answers(home.socket):
        raise _no_start(home)


def _no_start(home: Home) -> EngineUnavailableError:
    """Put a server that does not come up into words: the last line of its log says most."""
    log = home.run / LOG
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    return EngineUnavailableError(
        tr("Engine did not start"), visible(lines[-1])[:500], tr("The whole log is {log}", log=log)
    )
