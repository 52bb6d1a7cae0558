"""Serves a home under its lock: the interface, the scheduler's clock, and the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import tempfile
from typing import TYPE_CHECKING

import uvicorn

from engine.server.app import create_app
from engine.server.gate import Gate
from engine.server.listen import identity, listen_unix, written
from engine.server.main import LOCK
from engine.server.protocol import EngineProtocol
from engine.server.service import EngineService
from engine.server.token import Token
from engine.settings import load_settings

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI

    from engine.home import Home
    from engine.settings import Settings

log = logging.getLogger(__name__)
_CHECK_SECONDS = 2.0


class _Server(uvicorn.Server):
    """A server that leaves the signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Change nothing."""
        yield


def serve(
    home: Home,
    on_listening: Callable[[], None],
    network: socket.socket | None = None,
    *,
    stays: bool = False,
) -> None:
    """Serve a home whose lock is held, until asked to stop, by a client or a signal.

    Args:
        home: The home.
        on_listening: Called once clients can connect.
        network: A socket that listens on the network; every request there needs the token.
        stays: Serve on when there was nothing to do for a while.
    """
    settings = load_settings(home)
    # Uploads are spooled there: another disk may be small, or be memory
    tempfile.tempdir = str(home.run)
    service = EngineService(home, settings)
    service.stays = stays
    if network is not None:
        service.network = written(network)
    app = create_app(service)
    listeners = [listen_unix(home.socket)] + ([network] if network else [])
    ours = identity(home.socket)
    on_listening()
    try:
        asyncio.run(_serve(app, service, settings, listeners))
    finally:
        # Not if the home was removed and another server has made it anew.
        if identity(home.socket) == ours:
            home.socket.unlink()


async def _serve(
    app: FastAPI, service: EngineService, settings: Settings, listeners: list[socket.socket]
) -> None:
    """Serve until a client asks to stop, a signal comes, or nothing happened for a while."""
    stopping: asyncio.Event = app.state.stopping
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stopping.set)
    server = make_server(app, service.home)
    serving = asyncio.create_task(server.serve(sockets=listeners))
    asked = asyncio.create_task(stopping.wait())
    ours = _place(service.home)
    log.info("engine %s serves %s %s", os.getpid(), service.home.root, service.network)
    while not (asked.done() or serving.done()):
        idle = app.state.activity.idle_seconds > settings.idle_minutes * 60
        # Before anything is written: another server may have the home by now
        displaced = _place(service.home) != ours
        if displaced or (idle and not service.busy and not service.stays):
            log.info("socket or lock is gone" if displaced else "nothing to do")
            break
        _tick(service)
        await asyncio.wait(
            {serving, asked}, timeout=_CHECK_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
    stopping.set()  # event streams end, so that the server can
    service.pool.close()
    service.chats.close()
    server.should_exit = True
    await serving
    log.info("engine %s ends", os.getpid())


def _place(home: Home) -> tuple[object, object]:
    """Tell the socket and the lock that this server made from later ones of their names."""
    return identity(home.socket), identity(home.run / LOCK)


def make_server(app: FastAPI, home: Home) -> uvicorn.Server:
    """Set the server up; who a peer is, no header of its own says."""
    config = uvicorn.Config(
        Gate(app, Token(home.token_file)),
        http=EngineProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    return _Server(config)


def _tick(service: EngineService) -> None:
    """Do what is due from time to time; a full disk must not end the server."""
    try:
        service.scheduler.tick()
    except OSError:
        log.exception("a task's state could not be stored; trying again")
    service.jobs.tick()
    service.pool.trim()
    service.chats.trim()
