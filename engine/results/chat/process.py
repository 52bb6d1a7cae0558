"""The engine's side of the process that holds a chat's model."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.language import tr
from engine.results.chat.wire import REPORT, Cancel, Question, Refused, Report, Start
from engine.train.worker import library_environment

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from pathlib import Path

_LINE = 1 << 24
_QUIET = {
    "HF_HUB_OFFLINE": "1",  # everything is here
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TQDM_DISABLE": "1",
    "BITSANDBYTES_NOWELCOME": "1",
}


class ChatProcess:
    """One process; its standard input closes with the engine, and then it ends.

    Args:
        process: Started by ``start``.
        log: Where it writes what its libraries say.
    """

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._log = log
        self._let_go = False

    @classmethod
    async def start(cls, start: Start, log: Path) -> ChatProcess:
        """Start the process; its first report tells whether the base model is loaded."""
        errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            process = await asyncio.create_subprocess_exec(
                # -P keeps the current folder's modules out of it
                *(sys.executable, "-P", "-m", "engine.results.chat.child"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                limit=_LINE,
                env={**os.environ, **library_environment(start.gpu), **_QUIET},
                start_new_session=True,  # Ctrl-C in the engine's terminal is not for it
            )
        finally:
            os.close(errors)
        started = cls(process, log)
        await started._send(start.model_dump_json())
        return started

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.returncode is None

    async def ask(self, question: Question) -> None:
        """Pass a question on."""
        await self._send(question.model_dump_json())

    async def cancel(self, number: int) -> None:
        """End the answer to a question at its next token."""
        await self._send(Cancel(number=number).model_dump_json())

    async def report(self) -> Report:
        """Take the next report; an end without words becomes a refusal."""
        assert self._process.stdout is not None  # noqa: S101 - asked for as a pipe
        if line := await self._process.stdout.readline():
            return REPORT.validate_json(line)
        return Refused.of(self._died(await self._process.wait()))

    async def end(self) -> None:
        """Kill the process where it still runs, and reap it."""
        self.kill()
        await self._process.wait()

    def kill(self) -> None:
        """End the process, without waiting until it is gone."""
        self._let_go = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _send(self, line: str) -> None:
        """Write a line; that nobody reads it any more is found at the next report."""
        assert self._process.stdin is not None  # noqa: S101
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(line.encode() + b"\n")
            await self._process.stdin.drain()

    def _died(self, code: int) -> LoraDeckError:
        """Say that the process ended without being asked to."""
        if self._let_go:
            words = tr("The chat's process is gone: it was unloaded.")
        elif code == -9:
            words = tr(
                "The chat's process is gone: it was killed, often because the machine ran out of"
                " memory."
            )
        else:
            words = tr("The chat's process is gone: it ended with status {code}.", code=code)
        return LoraDeckError(tr("Chat ended"), words, tr("See {file}.", file=self._log))
