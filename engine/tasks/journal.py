"""The journal of a task: ``events.jsonl``, written by its worker alone, read by everyone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine.tasks.events import EVENT, Event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JOURNAL = "events.jsonl"


class JournalWriter:
    """Appends events, giving each the next number; a torn last line is cut off first."""

    def __init__(self, folder: Path) -> None:
        path = folder / JOURNAL
        self.last_seq = _repair(path)
        self._file = path.open("ab", buffering=0)

    def append(self, event: Event) -> Event:
        """Write one event and give it as written, numbered."""
        self.last_seq += 1
        numbered: Event = event.model_copy(update={"seq": self.last_seq})
        # One unbuffered write a line: readers see whole lines, and a killed worker loses none.
        self._file.write(numbered.model_dump_json().encode() + b"\n")
        return numbered

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Make it durable and close the file."""
        self.sync()
        self._file.close()


class JournalReader:
    """Reads a journal on from where it stopped the last time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        self._offset = 0

    def read_new(self) -> Iterator[Event]:
        """Yield the events of the whole lines that were added since; none if there is no file."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                try:
                    yield EVENT.validate_json(line)
                except ValidationError:
                    continue  # of a newer version, or damaged: the numbering shows the gap


def read_events(folder: Path) -> Iterator[Event]:
    """Yield all events of a task folder."""
    return JournalReader(folder).read_new()


def _repair(path: Path) -> int:
    """Cut off a torn last line and give the number of the last event; 0 for a new journal."""
    if not path.exists():
        path.touch(mode=0o600)
        return 0
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
    return max((event.seq for event in read_events(path.parent)), default=0)
