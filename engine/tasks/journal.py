"""The journal of a task: ``events.jsonl``, written by its worker alone, read by everyone."""

from __future__ import annotations

import os
import re
from collections import deque
from typing import TYPE_CHECKING

from engine.tasks.journal_file import LINE_LIMIT, JournalFile, parse_event, seq_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from engine.tasks.events import Event

JOURNAL = "events.jsonl"


class JournalWriter:
    """Appends events, giving each the next number; a torn last line is mended first.

    Raises:
        LoraDeckError: The journal is no plain file, or may not be written.
    """

    def __init__(self, folder: Path) -> None:
        self._file = JournalFile(folder / JOURNAL, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        _repair(self._file)
        self.last_seq = self._file.last_seq()

    def append(self, event: Event) -> Event:
        """Write one event and give it as written, numbered.

        Raises:
            OSError: It could not be written, such as on a full disk; the journal is as before.
        """
        numbered: Event = event.model_copy(update={"seq": self.last_seq + 1})
        self._write(numbered.model_dump_json().encode() + b"\n")
        self.last_seq += 1
        return numbered

    def _write(self, line: bytes) -> None:
        """Write one line, or nothing."""
        before = os.fstat(self._file.fd).st_size
        try:
            # Unbuffered: readers see whole lines, and a killed worker loses none
            while line:
                line = line[os.write(self._file.fd, line) :]
        except OSError:
            os.truncate(self._file.fd, before)
            raise

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        os.fsync(self._file.fd)

    def close(self) -> None:
        """Make it durable and close the file."""
        self.sync()
        self._file.close()


class JournalReader:
    """Reads a journal on from where it stopped the last time.

    Args:
        after: Only events with a higher number; those before are not read.
        offset: Where to begin, in bytes, if it is known.
        tail: Where it is not known, begin no more than so many lines before the end; 0 for all.
    """

    def __init__(self, folder: Path, after: int = 0, offset: int = 0, tail: int = 0) -> None:
        self._path = folder / JOURNAL
        self._after = after
        self._tail = tail
        self._offset: int | None = offset or (None if after or tail else 0)
        self.skipped = 0
        """Lines that were damaged, or a newer version's."""

    def read_new(self) -> Iterator[Event]:
        """Yield the events of the whole lines that were added since; none if there is no file.

        Raises:
            LoraDeckError: The journal is no plain file, or may not be read.
        """
        try:
            file = JournalFile(self._path)
        except FileNotFoundError:
            return
        with file:
            if self._offset is None:
                self._offset = self._start(file)
            for offset, line in file.lines(self._offset):
                self._offset = offset
                event = parse_event(line)
                if event is None:
                    self.skipped += 1
                elif event.seq > self._after or not self._after:
                    yield event

    def _start(self, file: JournalFile) -> int:
        """Find where to begin."""
        known = file.offset_after(self._after) if self._after else 0
        return max(known, file.tail_start(self._tail) if self._tail else 0)


def read_events(folder: Path) -> Iterator[Event]:
    """Yield all events of a task folder."""
    return JournalReader(folder).read_new()


def events_of(folder: Path, kinds: Collection[str], most: int) -> list[Event]:
    """List a task's last events of some kinds, at most so many; other lines are not parsed.

    Raises:
        LoraDeckError: The journal is no plain file, or may not be read.
    """
    names = "|".join(map(re.escape, kinds)).encode()
    wanted = re.compile(rb'"type":"(?:%s)"' % names)
    try:
        file = JournalFile(folder / JOURNAL)
    except FileNotFoundError:
        return []
    with file:
        lines = deque(file.lines_with(wanted), most)
    events = map(parse_event, lines)
    return [event for event in events if event is not None and event.type in kinds]


def _repair(file: JournalFile) -> None:
    """Complete a last line that lacks nothing but its end, else cut it off.

    A kill tears a line, a power cut can leave zeros in its place or behind it.
    """
    whole = file.line_start(file.size)
    if whole == file.size:
        return
    line = file.read(whole, whole + LINE_LIMIT).rstrip(b"\0")
    if seq_of(line) is None:
        line = b""
    os.truncate(file.fd, whole + len(line))
    file.size = whole + len(line) + (os.write(file.fd, b"\n") if line else 0)
