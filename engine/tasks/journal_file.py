"""A journal's bytes: lines and numbers found from either end, in bounded memory."""

from __future__ import annotations

import math
import os
import stat
from typing import TYPE_CHECKING

import msgspec
from pydantic import ValidationError

from engine.errors import LoraDeckError
from engine.files import is_disk_full
from engine.language import tr
from engine.tasks.events import EVENT, Event
from engine.text import fault_of

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

BLOCK = 1 << 20
LINE_LIMIT = 8 << 20
"""Bytes; a longer line is damage, such as the zeros that a power cut leaves."""
LARGEST = 2.0**63
"""A number as large as that, or larger, is damage."""
_NEAR = 64 << 10
"""Bytes that are read in a row rather than halved once more."""
_NEIGHBOURS = 3
_MOST_DAMAGED = 1_000


class _Numbered(msgspec.Struct):
    """What every line has, whichever version wrote it."""

    seq: int


class JournalFile:
    """An open journal.

    Raises:
        OSError: There is none, or no room to make it.
        LoraDeckError: It is no plain file, or may not be opened.
    """

    def __init__(self, path: Path, flags: int = os.O_RDONLY) -> None:
        self._path = path
        try:
            # Without O_NONBLOCK a FIFO of the name would be waited for
            self.fd = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        except OSError as error:
            # A full disk is another matter: the run waits for room
            if isinstance(error, FileNotFoundError) or is_disk_full(error):
                raise
            raise self._unusable(error.strerror or str(error)) from error
        found = os.fstat(self.fd)
        self.size = found.st_size
        """Bytes, when it was opened."""
        if not stat.S_ISREG(found.st_mode):
            self.close()
            raise self._unusable(tr("it is no plain file"))

    def __enter__(self) -> JournalFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)

    def read(self, start: int, end: int) -> bytes:
        """Read the bytes of a range, as far as they are there."""
        return os.pread(self.fd, max(0, end - start), start)

    def lines(self, start: int, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield the whole lines from the beginning of one on, each with the offset of its end.

        Of a line that is too long, which is damaged, the first part stands for the whole.
        """
        end = self.size if end is None else end
        rest = b""
        too_long = b""
        position = start
        while position < end:
            block = self.read(position, min(end, position + BLOCK))
            if not block:
                return
            position += len(block)
            *whole, rest = (rest + block).split(b"\n")
            at = position - len(rest) - sum(len(line) + 1 for line in whole)
            for line in whole:
                at += len(line) + 1
                yield at, too_long or line
                too_long = b""
            if len(rest) > LINE_LIMIT:
                too_long, rest = too_long or rest[:BLOCK], b""

    def events(self, start: int, end: int | None = None) -> Iterator[tuple[int, Event]]:
        """Yield the events of a range, each with the offset of its line's end."""
        for offset, line in self.lines(start, end):
            if event := parse_event(line):
                yield offset, event

    def lines_with(self, wanted: re.Pattern[bytes]) -> Iterator[bytes]:
        """Yield the whole lines in which something is; blocks without it are not taken apart."""
        rest = b""
        for position in range(0, self.size, BLOCK):
            block = rest + self.read(position, min(self.size, position + BLOCK))
            end = block.rfind(b"\n") + 1
            if wanted.search(block, 0, end):
                yield from filter(wanted.search, block[:end].split(b"\n"))
            rest = block[end:] if len(block) - end <= LINE_LIMIT else b""

    def rfind(self, needles: list[bytes], end: int, start: int = 0) -> dict[bytes, int]:
        """Find where each of some texts begins for the last time in a range, reading backwards."""
        found: dict[bytes, int] = {}
        longest = max(map(len, needles))
        while end > start and len(found) < len(needles):
            first = max(start, end - BLOCK)
            block = self.read(first, end)
            for needle in needles:
                if needle not in found and (place := block.rfind(needle)) >= 0:
                    found[needle] = first + place
            # What lies across the border of two blocks is whole in the next
            end = first + longest - 1 if first > start else start
        return found

    def tail_start(self, lines: int) -> int:
        """Give where the last so many lines begin; 0 where there are fewer."""
        end = self.size
        while end > 0:
            start = max(0, end - BLOCK)
            block = self.read(start, end)
            # The end of the file is the end of a line too
            newlines = block.count(b"\n")
            if newlines > lines:
                place = len(block)
                for _ in range(lines + 1):
                    place = block.rfind(b"\n", 0, place)
                return start + place + 1
            lines, end = lines - newlines, start
        return 0

    def line_start(self, offset: int) -> int:
        """Give where the line begins that an offset lies in."""
        newline = self.rfind([b"\n"], offset).get(b"\n")
        return 0 if newline is None else newline + 1

    def last_seq(self) -> int:
        """Give the number of the last event, whichever version wrote it; 0 without any.

        Raises:
            LoraDeckError: Its end is damaged beyond reason.
        """
        end = self.size
        for _ in range(_MOST_DAMAGED):
            place = self.rfind([b'"seq"'], end).get(b'"seq"')
            if place is None:
                return 0
            start = self.line_start(place)
            _, line = next(self.lines(start), (0, b""))
            if (seq := seq_of(line)) is not None:
                return seq
            end = start
        raise self._unusable(tr("its end is damaged"))

    def offset_after(self, seq: int) -> int:
        """Give the beginning of a line before which all events have this number or a lower one."""
        low, high = 0, self.size
        while high - low > _NEAR:
            middle = (low + high) // 2
            start, found = self._seq_near(middle, high)
            if found is None or found > seq:
                high = middle
            else:
                low = start
        return low

    def _seq_near(self, offset: int, end: int) -> tuple[int, int | None]:
        """Give the first line that begins in a range, and the number that it has at most.

        The highest of some neighbours: a damaged number that is too low would hide events.
        """
        start = 0
        numbers: list[int] = []
        for at, line in self.lines(offset, end):
            if start and (seq := seq_of(line)) is not None:
                numbers.append(seq)
            start = start or at
            if len(numbers) == _NEIGHBOURS:
                break
        return start, max(numbers, default=None)

    def _unusable(self, reason: str) -> LoraDeckError:
        """Put a journal of no use into words."""
        return LoraDeckError(
            tr("Journal not usable"),
            fault_of(self._path, reason),
            tr("Make it a file of yours again, or move it away."),
        )


def seq_of(line: bytes) -> int | None:
    """Read the number of any version's event; ``None`` where the line is damaged."""
    try:
        seq = msgspec.json.decode(line.strip(b"\0"), type=_Numbered).seq
    except (ValueError, RecursionError):
        return None
    return seq if 0 <= seq < LARGEST else None


def parse_event(line: bytes) -> Event | None:
    """Read a line; ``None`` where it is damaged or a newer version's."""
    try:
        # A power cut can leave zeros in front of a line that was written after it
        event = EVENT.validate_json(line.strip(b"\0"))
    except ValidationError:
        return None
    return event if event.seq >= 0 and all(map(_sound, event.__dict__.values())) else None


def _sound(value: object) -> bool:
    """Tell whether a value is no number, or one that arithmetic can be done with."""
    if isinstance(value, int):
        return abs(value) < LARGEST
    return not isinstance(value, float) or math.isfinite(value)
