"""The engine server's process: detached, one a home, over a Unix socket."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import EngineUnavailableError, LoraDeckError
from engine.home import Home
from engine.language import speak, tr
from engine.locks import ProcessLock, holder
from engine.server.listen import answers
from engine.settings import language_of

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)
LOCK = "engine.lock"
LOG = "engine.log"
LOCK_SECONDS = 10.0


def main(root: str) -> None:
    """Detach, then serve one home until it is idle.

    The process that the client started ends when the server listens (status 0) or has failed
    (status 1); the server itself is its child, and so nobody's zombie.
    """
    read_end, write_end = os.pipe()
    if os.fork():
        os.close(write_end)
        os._exit(0 if os.read(read_end, 1) else 1)
    os.close(read_end)
    os.setsid()
    # Leave without multiprocessing's exit handler, which would wait for workers that go on.
    os._exit(_run(Home(Path(root)), lambda: os.close(_written(write_end))))


def _written(fd: int) -> int:
    """Write the byte that says: listening."""
    os.write(fd, b"1")
    return fd


def _run(home: Home, on_listening: Callable[[], None]) -> int:
    """Serve under the home's lock; log what goes wrong. Gives the exit status."""
    log_to(home.run / LOG)
    _send_output_to(home.run / LOG)
    try:
        speak(language_of(home))
        if _acquire(ProcessLock(home.run / LOCK), home):
            from engine.server.serving import serve

            serve(home, on_listening)
        else:
            on_listening()  # another server does
    except LoraDeckError as error:
        log.error("%s %s", error, error.hint)  # noqa: TRY400 - its words say all
        return 1
    except BaseException:
        log.exception("the engine failed")
        return 1
    finally:
        logging.shutdown()
    return 0


def _acquire(lock: ProcessLock, home: Home) -> bool:
    """Take the home's lock; give way to a server that answers, wait for one that is ending."""
    deadline = time.monotonic() + LOCK_SECONDS
    while not lock.acquire():
        if answers(home.socket):
            return False
        if time.monotonic() > deadline:
            raise EngineUnavailableError(
                tr("Engine does not answer"),
                tr(
                    "Process {pid} holds {path}, but nobody listens.",
                    pid=holder(lock.path),
                    path=lock.path,
                ),
                tr("End it with: loradeck engine stop"),
            )
        time.sleep(0.05)
    return True


def log_to(path: Path) -> None:
    """Log to a file of bounded size."""
    os.umask(0o077)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=1_000_000, backupCount=1)
    logging.basicConfig(
        level=logging.INFO,
        handlers=[handler],
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


def _send_output_to(path: Path) -> None:
    """Send stray output to the log."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(fd, stream.fileno())
    os.close(fd)
