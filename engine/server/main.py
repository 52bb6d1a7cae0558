"""The engine server's process: detached, one a home, over a Unix socket."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import os
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import EngineUnavailableError, LoraDeckError
from engine.home import Home
from engine.locks import ProcessLock, holder

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from engine.server.service import EngineService
    from engine.settings import Settings

log = logging.getLogger(__name__)
LOCK = "engine.lock"
LOG = "engine.log"
_LOCK_SECONDS = 10.0
_CHECK_SECONDS = 2.0


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
    _log_to(home.run / LOG)
    try:
        if _acquire(ProcessLock(home.run / LOCK), home):
            _serve(home, on_listening)
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


def _serve(home: Home, on_listening: Callable[[], None]) -> None:
    """Build the service, listen, and serve."""
    from engine.server.app import create_app
    from engine.server.service import EngineService
    from engine.settings import load_settings

    settings = load_settings(home)
    service = EngineService(home, settings)
    app = create_app(service)
    listener = _listen(home.socket)
    ours = identity(home.socket)
    on_listening()
    try:
        asyncio.run(_serve_until_idle(app, service, settings, listener))
    finally:
        # Not if the home was removed and another server has made it anew.
        if identity(home.socket) == ours:
            home.socket.unlink()


async def _serve_until_idle(
    app: FastAPI, service: EngineService, settings: Settings, listener: socket.socket
) -> None:
    """Serve until a client asks to stop, a signal comes, or nothing happened for a while."""
    import uvicorn

    stopping: asyncio.Event = app.state.stopping
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    asked = asyncio.create_task(stopping.wait())
    ours = identity(service.home.socket)
    log.info("engine %s serves %s", os.getpid(), service.home.root)
    while not (asked.done() or serving.done()):
        _tick(service)
        idle = app.state.activity.idle_seconds > settings.idle_minutes * 60
        unreachable = identity(service.home.socket) != ours
        if unreachable or (idle and not service.busy):
            log.info("the socket is gone" if unreachable else "nothing to do")
            break
        await asyncio.wait(
            {serving, asked}, timeout=_CHECK_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
    stopping.set()  # event streams end, so that the server can
    service.pool.close()
    server.should_exit = True
    await serving
    log.info("engine %s ends", os.getpid())


def _tick(service: EngineService) -> None:
    """Do what is due from time to time; a full disk must not end the server."""
    try:
        service.scheduler.tick()
    except OSError:
        log.exception("a task's state could not be stored; trying again")
    service.pool.trim()


def identity(path: Path) -> tuple[int, int] | None:
    """Tell one file of a name from a later one of the same name."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _acquire(lock: ProcessLock, home: Home) -> bool:
    """Take the home's lock; give way to a server that answers, wait for one that is ending."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while not lock.acquire():
        if answers(home.socket):
            return False
        if time.monotonic() > deadline:
            raise EngineUnavailableError(
                "Engine does not answer",
                f"Process {holder(lock.path)} holds {lock.path}, but nobody listens.",
                "End it with: loradeck engine stop",
            )
        time.sleep(0.05)
    return True


def answers(path: Path) -> bool:
    """Tell whether a server listens on a socket; a stale one refuses."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _listen(path: Path) -> socket.socket:
    """Bind the socket, for the user alone; the lock is held, so an older file is stale."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(128)
    return listener


def _log_to(path: Path) -> None:
    """Log to a file of bounded size, and send stray output there too."""
    os.umask(0o077)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=1_000_000, backupCount=1)
    logging.basicConfig(
        level=logging.INFO,
        handlers=[handler],
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(fd, stream.fileno())
    os.close(fd)
