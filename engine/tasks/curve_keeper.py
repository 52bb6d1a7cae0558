"""Keeps the curves of the tasks that were asked for last, and reads their journals on."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from engine.tasks.curves import CurveFold, Curves, Line
from engine.tasks.journal import JOURNAL
from engine.tasks.journal_file import JournalFile

if TYPE_CHECKING:
    from pathlib import Path

    from engine.home import Home

_KEPT = 8
_LINE = msgspec.json.Decoder(Line)


class CurveReader:
    """Folds a journal into curves, from where it stopped the last time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        self._offset = 0
        self.fold = CurveFold()

    def read_on(self) -> CurveFold:
        """Take in the whole lines that were added since.

        Only what curves need is read of a line, which takes a sixth of the time of an event.

        Raises:
            LoraDeckError: The journal is no plain file, or may not be read.
        """
        try:
            file = JournalFile(self._path)
        except FileNotFoundError:
            return self.fold
        with file:
            for offset, line in file.lines(self._offset):
                self._offset = offset
                if (told := _line(line)) is not None:
                    self.fold.add(told)
        return self.fold


class CurveKeeper:
    """Gives tasks' curves; asked again, it reads only what has come since."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._readers: OrderedDict[str, tuple[CurveReader, asyncio.Lock]] = OrderedDict()

    async def curves(
        self, task_id: str, points: int, first: int = 0, last: int | None = None
    ) -> Curves:
        """Give a task's curves between two steps, in about so many points.

        Raises:
            LoraDeckError: The journal is no plain file, or may not be read.
        """
        reader, lock = self._readers.pop(
            task_id, (CurveReader(self._home.task(task_id)), asyncio.Lock())
        )
        self._readers[task_id] = reader, lock
        if len(self._readers) > _KEPT:
            self._readers.popitem(last=False)

        def read() -> Curves:
            return reader.read_on().curves(points, first, last)

        async with lock:
            return await asyncio.to_thread(read)


def _line(line: bytes) -> Line | None:
    """Read what curves need of a line; ``None`` where it is damaged or a newer version's."""
    try:
        return _LINE.decode(line.strip(b"\0"))
    except (ValueError, RecursionError):
        return None
