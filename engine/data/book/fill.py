"""Copy a dataset's rows into a working copy: the process that reads what nobody vouches for.

``python -m engine.data.book.fill``: a request as JSON on standard input, a report as JSON a line
on standard output.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.data.book.look import Look, look, unreadable
from engine.data.book.reports import Failure, Report, Request
from engine.data.book.store import GAP, connect, ends_file, text_file
from engine.data.checks.duplicates import compare
from engine.data.checks.row_keys import RowKeys
from engine.data.containers.source import open_source
from engine.data.faults import FaultyRowError
from engine.data.shapes import propose
from engine.errors import DiskFullError, LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.data.containers.source import Source
    from engine.data.types import Shape

_SAMPLE = 300
_BATCH_ROWS = 2000
_BATCH_BYTES = 8_000_000
_ROOM_LEFT = 500_000_000
_SECONDS = 3600
_MEMORY = 4 * 1024**3
"""Bytes of address space; far more than is used, since files mapped into memory count."""


def fill(request: Request) -> Iterator[Report]:
    """Copy all rows, with a report for each batch of them.

    Raises:
        LoraDeckError: The file cannot be read any further, or there is too little room.
    """
    source = open_source(Path(request.path))
    rows = source.rows()
    sample = list(itertools.islice(rows, _SAMPLE))
    shape = propose([row for row in sample if isinstance(row, dict)], request.mapping or None)
    writer = _Writer(Path(request.folder))
    yield Report(shape=shape, rows=writer.put(_looked_at(sample, 1, shape)), share=_share(source))
    looks = _looked_at(rows, len(sample) + 1, shape)
    while batch := _batch(looks):
        yield Report(rows=writer.put(batch), share=_share(source))
    writer.compare()
    writer.close()
    yield Report(rows=writer.rows, share=1.0, complete=True)


class _Writer:
    """Appends rows to a working copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = connect(folder)
        self._text = text_file(folder).open("ab")
        self._ends = ends_file(folder).open("ab")
        self._keys = RowKeys()
        self.rows = 0

    def put(self, looks: Iterable[Look]) -> int:
        """Append rows, whole or not at all; give how many there are now."""
        looks = list(looks)
        if shutil.disk_usage(self._folder).free < _ROOM_LEFT:
            raise DiskFullError(
                "Too little disk space",
                f"There is too little room under {self._folder} for a working copy.",
                "Make room, or put the home on another disk.",
            )
        self._write_texts(looks)
        numbered = list(enumerate(looks, start=self.rows + 1))
        with _transaction(self._connection):
            self._connection.executemany(
                "INSERT INTO rows (id, place, codes, fault, summary) VALUES (?, ?, ?, ?, ?)",
                [
                    (number, number * GAP, " ".join(one.codes), one.fault, one.summary)
                    for number, one in numbered
                ],
            )
            self._connection.executemany(
                "INSERT INTO contents VALUES (?, ?)",
                [(number, one.value) for number, one in numbered],
            )
            self._connection.executemany(
                "INSERT INTO marks VALUES (?, ?)",
                [(code, number) for number, one in numbered for code in one.codes],
            )
        for one in looks:
            if one.said is not None:
                self._keys.add(one.said)
        self.rows += len(looks)
        return self.rows

    def compare(self) -> None:
        """Mark the rows that repeat others, but for those that were changed meanwhile."""
        with _transaction(self._connection):
            for code, rows in compare(self._keys).items():
                self._connection.executemany(
                    "UPDATE rows SET codes = ltrim(codes || ' ' || ?)"
                    " WHERE id = ? AND NOT edited AND NOT deleted",
                    ((code, row) for row in rows),
                )
                self._connection.executemany(
                    "INSERT INTO marks SELECT ?, id FROM rows"
                    " WHERE id = ? AND NOT edited AND NOT deleted",
                    ((code, row) for row in rows),
                )

    def _write_texts(self, looks: list[Look]) -> None:
        """Append the searchable text; the ends come last, as they say how far it counts."""
        at = self._text.tell()
        ends = bytearray()
        for one in looks:
            at += len(one.text) + 1
            ends += at.to_bytes(8, "little")
        self._text.write(b"".join(one.text + b"\n" for one in looks))
        self._text.flush()
        self._ends.write(ends)
        self._ends.flush()

    def close(self) -> None:
        """Close the files."""
        self._connection.close()
        self._text.close()
        self._ends.close()


@contextlib.contextmanager
def _transaction(connection: Any) -> Iterator[None]:
    """Write whole or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _looked_at(
    rows: Iterable[dict[str, Any] | FaultyRowError], first: int, shape: Shape
) -> Iterator[Look]:
    """Look at each row; one that cannot be kept keeps its place."""
    for number, row in enumerate(rows, start=first):
        if isinstance(row, FaultyRowError):
            yield unreadable(row)
            continue
        try:
            yield look(row, number, shape)
        except FaultyRowError as error:
            yield unreadable(error)


def _batch(looks: Iterator[Look]) -> list[Look]:
    """Take rows up to a number and a size."""
    batch, size = [], 0
    for one in looks:
        batch.append(one)
        size += len(one.value or "")
        if len(batch) >= _BATCH_ROWS or size >= _BATCH_BYTES:
            break
    return batch


def _share(source: Source) -> float | None:
    """Tell how far the reading is, short of the end."""
    share = source.share()
    return None if share is None else min(share, 0.99)


def main() -> None:
    """Carry out one request: the child's side."""
    _limit(resource.RLIMIT_CPU, _SECONDS)
    _limit(resource.RLIMIT_AS, _MEMORY)
    parent = os.getppid()
    request = Request.model_validate_json(sys.stdin.buffer.read())
    try:
        for report in fill(request):
            if os.getppid() != parent:
                return  # nobody waits any more
            _say(report)
    except LoraDeckError as error:
        _say(Report(failure=Failure.of(error)))
    except MemoryError:
        words = f"{request.path} wants too much memory."
        large = LoraDeckError("Dataset too large", words, "Split its largest rows.")
        _say(Report(failure=Failure.of(large)))


def _say(report: Report) -> None:
    """Write one report."""
    sys.stdout.write(report.model_dump_json() + "\n")
    sys.stdout.flush()


def _limit(which: int, value: int) -> None:
    """Lower a limit of this process; some systems know no limit on memory."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (value, hard))


if __name__ == "__main__":
    main()
