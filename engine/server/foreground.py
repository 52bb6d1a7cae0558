"""Serves a home in the foreground, where asked over the network too, for a terminal or systemd."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import Timeout

from engine.errors import ConflictError, EngineUnavailableError, LoraDeckError
from engine.home import Home
from engine.language import speak, tr
from engine.locks import ProcessLock, holder
from engine.server.client import EngineClient
from engine.server.launch import launching
from engine.server.listen import listen_tcp, written
from engine.server.main import LOCK, LOCK_SECONDS, LOG, log_to
from engine.server.stop import stop_server
from engine.settings import language_of
from engine.text import visible

if TYPE_CHECKING:
    import socket

log = logging.getLogger(__name__)


def command(home: Home, tcp: str, *, anywhere: bool) -> list[str]:
    """Give the command line of a process that serves; the process becomes it.

    Not within the command line's own process: workers would import its main module again.
    """
    code = "import sys; from engine.server.foreground import main; main(sys.argv[1:])"
    options = [f"--tcp={tcp}"] if tcp else []
    options += ["--anywhere"] if anywhere else []
    return [sys.executable, "-P", "-c", code, str(home.root), *options]


def main(arguments: list[str]) -> None:
    """Serve until Ctrl-C, SIGTERM, or a client that asks to stop. Exit status 0, or 2 with words.

    A server that was started on demand is asked to end first; its trainings go on.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--tcp", default="")
    parser.add_argument("--anywhere", action="store_true")
    given = parser.parse_args(arguments)
    status = 0
    try:
        _run(Home(given.root).prepare(), given.tcp, anywhere=given.anywhere)
    except LoraDeckError as error:
        words = tr("{name}: {words}", name=error.title, words=error.message)
        _say(f"{words}\n{error.hint}", sys.stderr.fileno())
        status = 2
    except KeyboardInterrupt:
        status = 130
    except Exception as error:
        log.exception("the engine failed")
        _say(tr("The engine failed: {reason}. See engine.log.", reason=error), sys.stderr.fileno())
        status = 1
    logging.shutdown()
    # Leave without multiprocessing's exit handler, which would wait for workers that go on.
    os._exit(status)


def _run(home: Home, tcp: str, *, anywhere: bool) -> None:
    """Take the place of the server that runs, and serve."""
    speak(language_of(home))
    # Bound before anything else: an address of no use ends no server
    network = listen_tcp(tcp, anywhere=anywhere) if tcp else None
    launch = launching(home)
    try:
        launch.acquire()
    except Timeout:
        raise EngineUnavailableError(
            tr("Engine is being started"),
            tr("Another process starts it just now."),
            tr("Try again."),
        ) from None
    asyncio.run(_end_other(home))
    lock = ProcessLock(home.run / LOCK)
    if not lock.acquire(LOCK_SECONDS):
        raise EngineUnavailableError(
            tr("Engine does not end"),
            tr("Process {pid} holds {path}.", pid=holder(lock.path), path=lock.path),
            "",
        )
    log_to(home.run / LOG)
    from engine.server.serving import serve

    def listening() -> None:
        launch.release()
        _say(_where(home, network), sys.stdout.fileno())

    serve(home, listening, network, stays=True)


async def _end_other(home: Home) -> None:
    """End the server that was started on demand.

    Raises:
        ConflictError: It was started as this one is, or changes to datasets would be lost.
    """
    pid = holder(home.run / LOCK)
    if pid is None:
        return
    async with EngineClient(home) as client:
        try:
            info = await client.info()
        except EngineUnavailableError:
            info = None  # it is just ending, or does not answer
    if info is not None and (info.stays or info.unsaved):
        why = (
            tr("Process {pid} serves it already, in the foreground.", pid=info.pid)
            if info.stays
            else tr("{count} open datasets have changes that nobody saved.", count=info.unsaved)
        )
        raise ConflictError(
            tr("Engine runs already"), why, tr("Stop it with: loradeck engine stop")
        )
    await stop_server(home)


def _where(home: Home, network: socket.socket | None) -> str:
    """Say where the interface is."""
    lines = [tr("Serving {home} until Ctrl-C.", home=home.root)]
    if network is not None:
        address = f"http://{written(network)}/api/simple-lora"
        lines.append(tr("{address}, with the token alone.", address=address))
    return "\n".join(lines)


def _say(text: str, descriptor: int) -> None:
    """Write words at once; who started this may have gone."""
    try:
        os.write(descriptor, (visible(text).rstrip() + "\n").encode())
    except OSError:
        log.info("nobody reads: %s", text)
