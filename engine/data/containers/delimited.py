"""Rows of CSV, TSV and their kin: a header, then a record a row."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from engine.data.containers.lines import text_lines
from engine.data.containers.refusals import ROW_LIMIT, too_large
from engine.data.faults import FaultyRowError
from engine.language import mark, tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAMES = {",": "CSV", "\t": "TSV", ";": mark("CSV with semicolons"), "|": mark("CSV with bars")}
_LOOKED_AT = 30
"""Records that the delimiter is judged by."""
_EXCEL_MARK = re.compile(r"sep=(.)\r?\n")


@dataclass(frozen=True)
class Dialect:
    """How the cells of a record are kept apart."""

    delimiter: str
    escape: str | None = None
    """The backslash, where it and not a second quote stands before a quote in a cell."""
    columns: int = 1
    steady: float = 1.0
    """Share of the records looked at that have as many cells as the header."""
    records: int = 0

    @property
    def label(self) -> str:
        """For people."""
        return tr(_NAMES[self.delimiter])


def find_dialect(sample: str, whole: bool) -> Dialect:
    """Find the delimiter by which most records have as many cells as the header.

    Args:
        sample: The beginning of the file.
        whole: Whether that is all of it; else the last line may be cut.
    """
    lines = sample.replace("\r\n", "\n").replace("\r", "\n").splitlines(keepends=True)
    mark = _EXCEL_MARK.match(sample)
    lines = lines[1:] if mark else lines
    lines = lines if whole or len(lines) == 1 else lines[:-1]
    escapes = (None, "\\") if '\\"' in sample else (None,)
    tried = [
        _measure(lines, Dialect(delimiter, escape)) for delimiter in _NAMES for escape in escapes
    ]
    return max(tried, key=lambda one: (one.columns > 1 and one.steady, one.columns))


def _measure(lines: list[str], dialect: Dialect) -> Dialect:
    """See how steady the number of cells is with this dialect."""
    counts = []
    try:
        for record in islice(_reader(iter(lines), dialect), _LOOKED_AT):
            counts += [len(record)] if record else []
    except csv.Error as error:
        # A sample may well end inside of a cell
        counts += [] if "unexpected end" in str(error) else [0]
    if not counts:
        return dialect
    steady = sum(1 for count in counts if count == counts[0]) / len(counts)
    return Dialect(dialect.delimiter, dialect.escape, counts[0], steady, len(counts))


def delimited_rows(
    chunks: Iterator[str], dialect: Dialect, path: Path
) -> Iterator[dict[str, Any] | FaultyRowError]:
    """Read each record after the header; every value is a text.

    Raises:
        LoraDeckError: A record is larger than any row may be.
    """
    lines = _Lines(chunks, path)
    reader = _reader(lines, dialect)
    header: list[str] = []
    while True:
        start = reader.line_num + 1
        lines.held = 0
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield FaultyRowError(
                "broken-json", tr("line {line}: {reason}", line=start, reason=_reason(error))
            )
            continue
        if not any(cell.strip() for cell in record):
            continue
        if not header:
            header = [] if start == 1 and _is_mark(record, dialect) else _named(record)
        elif len(record) != len(header):
            detail = trn(
                "line {line} has {count} cell, the header {header}",
                "line {line} has {count} cells, the header {header}",
                len(record),
                line=start,
                header=len(header),
            )
            yield FaultyRowError("other-shape", detail)
        else:
            yield dict(zip(header, record, strict=True))


class _Lines:
    """The lines of a file, counting what the present record holds."""

    def __init__(self, chunks: Iterator[str], path: Path) -> None:
        self._lines = text_lines(chunks)
        self._path = path
        self._number = 0
        self.held = 0

    def __iter__(self) -> _Lines:
        """Be an iterator."""
        return self

    def __next__(self) -> str:
        """Give a line, unless it makes a record too large: a quote that nothing closes does."""
        line = next(self._lines)
        self._number += 1
        self.held += len(line or "")
        if line is None or self.held > ROW_LIMIT:
            raise too_large(self._path, tr("the record at line {number}", number=self._number))
        return line


def _reader(lines: Iterator[str], dialect: Dialect) -> Any:
    """Make Python's reader, which by itself refuses cells over 128 kB."""
    csv.field_size_limit(2 * ROW_LIMIT)
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        escapechar=dialect.escape,
        doublequote=dialect.escape is None,
        strict=True,
    )


def _reason(error: csv.Error) -> str:
    """Word what Python's reader says."""
    words = str(error)
    if words == "unexpected end of data":
        return tr("a quote is opened that nothing closes")
    return tr("a quoted cell goes on after its quote") if "expected after" in words else words


def _is_mark(record: list[str], dialect: Dialect) -> bool:
    """Recognise the line ``sep=;`` that Excel writes before the header."""
    return dialect.delimiter.join(record).strip() == f"sep={dialect.delimiter}"


def _named(header: list[str]) -> list[str]:
    """Give each column a name of its own."""
    names: list[str] = []
    for place, cell in enumerate(header, start=1):
        name = cell.strip() or f"column {place}"
        names.append(name if name not in names else f"{name} ({place})")
    return names
