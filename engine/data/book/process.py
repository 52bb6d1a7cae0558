"""The engine's side of a process that reads a dataset: no hostile file stalls or bloats us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING

from engine.data.book.reports import Report
from engine.data.child_wire import Failure
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import for_child, tr

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from pydantic import BaseModel

_STALL = 60.0
"""Seconds without a report after which the process is given up."""
_LINE = 1 << 24


class Reader:
    """A process that works on one dataset and reports.

    Args:
        process: Started by ``start``.
        path: The dataset, for words.
    """

    def __init__(self, process: Process, path: str) -> None:
        self._process = process
        self._path = path

    @classmethod
    async def start(cls, what: str, path: str, request: BaseModel) -> Reader:
        """Start the process (``fill``, ``export`` or ``fetch``) and send its request."""
        process = await asyncio.create_subprocess_exec(
            # -P keeps the current folder's modules out of it
            *(sys.executable, "-P", "-m", "engine.data.book.child", what),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LINE,
            # A thread a core would each want memory, which is limited
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
                 "ARROW_IO_THREADS": "1", "MALLOC_ARENA_MAX": "2", **for_child()},
        )  # fmt: skip
        assert process.stdin is not None  # noqa: S101 - asked for as a pipe
        with contextlib.suppress(ConnectionError):
            process.stdin.write(request.model_dump_json().encode())
            await process.stdin.drain()
            process.stdin.close()
        return cls(process, path)

    async def report(self) -> Report:
        """Take the next report; an end without words becomes a failure."""
        assert self._process.stdout is not None  # noqa: S101
        try:
            async with asyncio.timeout(_STALL):
                line = await self._process.stdout.readline()
        except TimeoutError:
            return self._gave_up(tr("gave no further row within {stall:g} s", stall=_STALL))
        if not line:
            code = await self._process.wait()
            return self._gave_up(tr("ended its reader ({code})", code=code))
        return Report.model_validate_json(line)

    async def end(self) -> None:
        """Kill the process where it still runs, and reap it, even when cancelled meanwhile."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await asyncio.shield(self._process.wait())

    def _gave_up(self, reason: str) -> Report:
        """Say that the dataset could not be read to its end."""
        error = LoraDeckError(
            tr("Dataset could not be read"),
            f"{shown(self._path)} {reason}.",
            tr("It may be damaged, or have far too large rows. See: loradeck datasets inspect"),
        )
        return Report(failure=Failure.of(error))
