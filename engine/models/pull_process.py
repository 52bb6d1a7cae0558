"""Pull a model in a process of its own, for the engine server, which must not wait or load much."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING, Any

from engine.errors import DiskFullError, LoraDeckError, NotFoundError
from engine.language import for_child, tr
from engine.models.types import ModelInfo
from engine.text import fault_of

if TYPE_CHECKING:
    from engine.home import Home
    from engine.models.types import Report

_INTERVAL = 0.1  # seconds
_ERRORS = {kind.__name__: kind for kind in (NotFoundError, DiskFullError)}


async def pull_in_process(
    home: Home, name: str, report: Report, stop: asyncio.Event | None = None
) -> ModelInfo:
    """Make a model ready in a child process, and give it.

    The child has its own session and writes to a file, not a pipe: a server that ends, however it
    ends, leaves a long download alone, and the next one finds the model ready or waits for its
    lock. Cancelling this coroutine leaves the child alone too; ``stop``, once set, ends it.

    Raises:
        LoraDeckError: What ``pull`` raised, or that its process died or was stopped.
    """
    home.prepare()
    with (
        tempfile.TemporaryFile(dir=home.run) as output,
        tempfile.TemporaryFile(dir=home.run) as errors,
    ):
        child = _start(home, name, output, errors)
        answer = await _follow(child, _Lines(output), report, stop)
        if "ready" in answer:
            return ModelInfo.model_validate(answer["ready"])
        raise _as_error(answer["error"]) if answer else _died(name, child.returncode, errors)


async def _follow(
    child: subprocess.Popen[bytes], lines: _Lines, report: Report, stop: asyncio.Event | None
) -> dict[str, Any]:
    """Pass the child's progress on until it has ended; give its answer, empty if it died."""
    answer: dict[str, Any] = {}
    while True:
        ended = child.poll() is not None
        for values in lines.read():
            if "state" in values:
                report(values["state"], values["progress"])
            else:
                answer = values
        if ended:
            return answer
        if stop is not None and stop.is_set():
            os.killpg(child.pid, signal.SIGKILL)  # what converts is of its group
        await asyncio.sleep(_INTERVAL)


def _command(name: str) -> list[str]:
    """Give the child's command line."""
    return [sys.executable, "-P", "-m", "engine.models.pull", name]


def _start(home: Home, name: str, output: IO[bytes], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the child."""
    return subprocess.Popen(
        _command(name),
        env=os.environ
        | {"LORADECK_HOME": str(home.root), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        | for_child(),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
    )


class _Lines:
    """The JSON lines of a file that grows, each given once."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._at = 0

    def read(self) -> list[dict[str, Any]]:
        """Give the whole lines that are new."""
        # By its own place: the child writes at the one that the descriptor shares.
        data = os.pread(self._stream.fileno(), 1 << 20, self._at)
        data = data[: data.rfind(b"\n") + 1]
        self._at += len(data)
        return [json.loads(line) for line in data.splitlines()]


def _as_error(values: dict[str, str]) -> LoraDeckError:
    """Make the child's error again."""
    kind = _ERRORS.get(values["kind"], LoraDeckError)
    return kind(values["title"], values["message"], values["hint"])


def _died(name: str, code: int, errors: IO[bytes]) -> LoraDeckError:
    """Put the end of a child that gave no answer into words."""
    size = os.fstat(errors.fileno()).st_size
    text = os.pread(errors.fileno(), 4096, max(0, size - 4096)).decode(errors="replace")
    last = text.strip().rpartition("\n")[2]
    reason = last or (tr("it was killed") if code < 0 else tr("exit code {code}", code=code))
    return LoraDeckError(
        tr("Model not made ready"),
        fault_of(name, reason),
        tr("Try again: loradeck models pull {name}", name=name),
    )
