"""A process that has imported the command line, and forks for each command.

A command imports for three quarters of a second and asks the engine for a few hundredths.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_REPOSITORY = Path(__file__).parents[2]
_MODULES = ("tui.cli.commands", "engine.server.client", "engine.server.launch")
_ASKED = 1_000_000  # bytes of a request: arguments and environment


class Ran(NamedTuple):
    """What a command printed, and its exit status."""

    code: int
    out: str
    err: str


class Commands:
    """Runs commands one after the other, each in a fresh fork; ends with this process."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=_REPOSITORY,
            )

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait(timeout=10)

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], cwd: Path, patience: float
    ) -> Ran:
        """Run a command to its end; one that takes longer than ``patience`` seconds is killed."""
        asked = {"arguments": arguments, "environment": dict(environment), "cwd": str(cwd)}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            files = [out.fileno(), err.fileno()]
            socket.send_fds(self._socket, [json.dumps(asked).encode()], files)
            pid = int(self._answer(10))
            try:
                code = int(self._answer(patience))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                self._answer(10)
                raise
            for file in (out, err):
                file.seek(0)
            return Ran(code, out.read().decode(), err.read().decode())

    def _answer(self, seconds: float) -> str:
        """Wait for an answer."""
        self._socket.settimeout(seconds)
        return self._socket.recv(100).decode()


def _serve(asking: socket.socket) -> None:
    """Fork for every command that is asked for; a fork leaves here as that command."""
    for module in _MODULES:
        import_module(module)
    while True:
        words, files, _, _ = socket.recv_fds(asking, _ASKED, 2)
        if not words:
            return
        pid = os.fork()
        if pid == 0:
            _become(json.loads(words), files)
        for file in files:
            os.close(file)
        asking.send(str(pid).encode())
        asking.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _become(asked: dict[str, Any], files: Sequence[int]) -> None:
    """Be the command in this process."""
    for file, at in zip(files, (1, 2), strict=True):
        os.dup2(file, at)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["cwd"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["loradeck", *asked["arguments"]]
    import_module("tui.cli").main()
    sys.exit()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
