"""Copy a dataset's rows into a working copy, batch by batch."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.data.book.look import Look, look, unreadable
from engine.data.book.reports import FillRequest, Report
from engine.data.book.store import GAP, connect, ends_file, text_file
from engine.data.checks.duplicates import compare
from engine.data.checks.row_keys import RowKeys
from engine.data.containers.source import open_source
from engine.data.faults import FaultyRowError
from engine.data.normalize import normalizer
from engine.data.shapes import propose
from engine.data.words import shown
from engine.errors import DiskFullError, LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from engine.data.containers.source import Source
    from engine.data.types import Shape

    Row = dict[str, Any] | FaultyRowError

_SHAPE_ROWS = 300
_FIRST_ROWS = 10_000
"""Rows that are searched for one that can be read."""
_BATCH_ROWS = 2000
_BATCH_BYTES = 8_000_000
_ROOM_LEFT = 500_000_000


def fill(request: FillRequest) -> Iterator[Report]:
    """Copy all rows, with a report for each batch of them.

    Raises:
        LoraDeckError: The file cannot be read any further, or there is too little room.
    """
    source = open_source(Path(request.path))
    rows = source.rows()
    sample, shape = first_rows(rows, Path(request.path), request.mapping)
    writer = _Writer(Path(request.folder))
    yield Report(shape=shape, rows=writer.put(_looked_at(sample, 1, shape)), share=_share(source))
    looks = _looked_at(rows, len(sample) + 1, shape)
    while batch := _batch(looks):
        yield Report(rows=writer.put(batch), share=_share(source))
    writer.compare()
    writer.close()
    yield Report(rows=writer.rows, share=1.0, complete=True)


def first_rows(
    rows: Iterator[Row], path: Path, mapping: Mapping[str, str]
) -> tuple[list[Row], Shape]:
    """Take the first rows, and find out from them how all are to be read.

    Raises:
        LoraDeckError: They are of no known shape, or the mapping does not fit.
    """
    first: list[Row] = []
    values: list[dict[str, Any]] = []
    for row in rows:
        first.append(row)
        if isinstance(row, dict):
            values.append(row)
        if len(values) >= _SHAPE_ROWS or (values and len(first) >= _FIRST_ROWS):
            break
    try:
        return first, propose(values, mapping or None)
    except LoraDeckError as error:
        message = f"{shown(path)}: {error.message}"
        raise type(error)(error.title, message, error.hint) from None


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
                tr("Too little disk space"),
                tr(
                    "There is too little room under {folder} for a working copy.",
                    folder=self._folder,
                ),
                tr("Make room, or put the home on another disk."),
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


def _looked_at(rows: Iterable[Row], first: int, shape: Shape) -> Iterator[Look]:
    """Look at each row; one that cannot be kept keeps its place."""
    normalize = normalizer(shape)
    for number, row in enumerate(rows, start=first):
        if isinstance(row, FaultyRowError):
            yield unreadable(row)
            continue
        try:
            yield look(row, number, normalize)
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
