"""Keeps the curves of the tasks that were asked for last, and reads their journals on."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from threading import Lock
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
        self._fold = CurveFold()
        # A request that is broken off leaves its thread at work: the next one waits for it
        self._lock = Lock()

    def curves(self, points: int, first: int = 0, last: int | None = None) -> Curves:
        """Read on, then give the curves between two steps in about so many points.

        Raises:
            LoraDeckError: The journal is no plain file, or may not be read.
        """
        with self._lock:
            return self.read_on().curves(points, first, last)

    def read_on(self) -> CurveFold:
        """Take in the whole lines that were added since.

        Only what curves need is read of a line, which takes a sixth of the time of an event.

        Raises:
            LoraDeckError: The journal is no plain file, or may not be read.
        """
        try:
            file = JournalFile(self._path)
        except FileNotFoundError:
            return self._fold
        with file:
            for offset, line in file.lines(self._offset):
                self._offset = offset
                if (told := _line(line)) is not None:
                    self._fold.add(told)
        return self._fold


class CurveKeeper:
    """Gives tasks' curves; asked again, it reads only what has come since."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._readers: OrderedDict[str, CurveReader] = OrderedDict()

    async def curves(
        self, task_id: str, points: int, first: int = 0, last: int | None = None
    ) -> Curves:
        """Give a task's curves between two steps, in about so many points.

        Raises:
            LoraDeckError: The journal is no plain file, or may not be read.
        """
        reader = self._readers.pop(task_id, None) or CurveReader(self._home.task(task_id))
        self._readers[task_id] = reader
        if len(self._readers) > _KEPT:
            self._readers.popitem(last=False)
        return await asyncio.to_thread(reader.curves, points, first, last)


def _line(line: bytes) -> Line | None:
    """Read what curves need of a line; ``None`` where it is damaged or a newer version's."""
    try:
        return _LINE.decode(line.strip(b"\0"))
    except (ValueError, RecursionError):
        return None
