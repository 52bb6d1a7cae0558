"""Follow a working copy while it is filled."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from engine.data.book.process import Reader
from engine.data.book.reports import FillRequest, Report

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.types import Shape


class Filling:
    """A copy that is being made.

    Attributes:
        shape: How the rows are read.
        report: The latest.
    """

    def __init__(self, reader: Reader, first: Report, shape: Shape) -> None:
        self.shape = shape
        self.report = first
        self._reader = reader
        self._task = asyncio.create_task(self._follow())

    @classmethod
    async def start(cls, path: Path, folder: Path, mapping: dict[str, str]) -> Filling:
        """Start, and wait until the first rows are there.

        Raises:
            LoraDeckError: The file cannot be read, or its shape is not known.
        """
        request = FillRequest(path=str(path), folder=str(folder), mapping=mapping)
        reader = await Reader.start("fill", str(path), request)
        try:
            first = await reader.report()
        except BaseException:
            await reader.end()
            raise
        if first.failure is not None:
            await reader.end()
            raise first.failure.error()
        assert first.shape is not None  # noqa: S101 - the first report has it
        return cls(reader, first, first.shape)

    async def wait(self) -> Report:
        """Wait until it has ended, well or badly."""
        await asyncio.shield(self._task)
        return self.report

    async def stop(self) -> None:
        """End the process, however far it is."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._reader.end()

    async def _follow(self) -> None:
        """Take the reports in; a failure keeps the number of rows that came before."""
        try:
            while not (self.report.complete or self.report.failure):
                rows = self.report.rows
                report = await self._reader.report()
                self.report = report.model_copy(update={"rows": max(report.rows, rows)})
        finally:
            await self._reader.end()
