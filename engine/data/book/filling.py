"""Follow the process that fills a working copy: a hostile file can neither stall nor bloat us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING

from engine.data.book.reports import Failure, Report, Request
from engine.data.words import shown
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from pathlib import Path

    from engine.data.types import Shape

_FIRST_SECONDS = 60.0
"""How long the first rows may take."""


class Filling:
    """A copy that is being made.

    Attributes:
        shape: How the rows are read.
        report: The latest.
    """

    def __init__(self, process: Process, path: Path, first: Report, shape: Shape) -> None:
        self.shape = shape
        self.report = first
        self._process = process
        self._path = path
        self._task = asyncio.create_task(self._follow())

    @classmethod
    async def start(cls, path: Path, folder: Path, mapping: dict[str, str]) -> Filling:
        """Start, and wait until the first rows are there.

        Raises:
            LoraDeckError: The file cannot be read, or its shape is not known.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "engine.data.book.fill"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=1 << 20,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        try:
            request = Request(path=str(path), folder=str(folder), mapping=mapping)
            async with asyncio.timeout(_FIRST_SECONDS):
                first = await _ask(process, request, path)
        except BaseException as error:
            await _end(process)
            if isinstance(error, TimeoutError):
                raise _gave_up(path, f"gave no row within {_FIRST_SECONDS:g} s") from None
            raise
        if first.failure is not None or first.shape is None:
            await _end(process)
            raise (first.failure or Failure.of(_gave_up(path, "could not be read"))).error()
        return cls(process, path, first, first.shape)

    async def wait(self) -> Report:
        """Wait until it has ended, well or badly."""
        await asyncio.shield(self._task)
        return self.report

    async def stop(self) -> None:
        """End the process, however far it is."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await _end(self._process)

    async def _follow(self) -> None:
        """Take the reports in; an end without words becomes a failure."""
        try:
            while not (self.report.complete or self.report.failure):
                self.report = await _next(self._process, self._path, self.report.rows)
        finally:
            await _end(self._process)


async def _ask(process: Process, request: Request, path: Path) -> Report:
    """Send the request and take the first report."""
    assert process.stdin is not None  # noqa: S101 - asked for as a pipe
    process.stdin.write(request.model_dump_json().encode())
    with contextlib.suppress(ConnectionError):
        await process.stdin.drain()
    process.stdin.close()
    return await _next(process, path, 0)


async def _next(process: Process, path: Path, rows: int) -> Report:
    """Take one report; a failure keeps the number of rows that came before."""
    assert process.stdout is not None  # noqa: S101
    line = await process.stdout.readline()
    if not line:
        await process.wait()
        failure = Failure.of(_gave_up(path, f"ended its reader ({process.returncode})"))
        return Report(rows=rows, failure=failure)
    report = Report.model_validate_json(line)
    return report.model_copy(update={"rows": max(report.rows, rows)})


async def _end(process: Process) -> None:
    """Kill the process where it still runs, and reap it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _gave_up(path: Path, reason: str) -> LoraDeckError:
    """Say that the file could not be copied."""
    return LoraDeckError(
        "Dataset could not be read",
        f"{shown(path)} {reason}.",
        "It may be damaged, or have rows far too large. Look into it: loradeck datasets inspect",
    )
