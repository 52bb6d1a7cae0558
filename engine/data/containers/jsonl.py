"""Rows of JSONL (NDJSON): an object a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.data.containers.json_values import parse_line
from engine.data.containers.lines import byte_lines
from engine.data.containers.refusals import ROW_LIMIT
from engine.data.faults import FaultyRowError, RowTooLargeError
from engine.data.words import kind_of
from engine.language import tr
from engine.text import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator


def jsonl_rows(chunks: Iterator[bytes]) -> Iterator[dict[str, Any] | FaultyRowError]:
    """Read a row from each line that is not blank; ``chunks`` are UTF-8."""
    for number, line in enumerate(byte_lines(chunks), start=1):
        if line is None:
            detail = tr(
                "line {line} is larger than {limit}", line=number, limit=human_bytes(ROW_LIMIT)
            )
            yield RowTooLargeError("broken-json", detail)
        elif line and not line.isspace():
            yield _row(line, number)


def _row(line: bytes, number: int) -> dict[str, Any] | FaultyRowError:
    """Read one line."""
    try:
        value = parse_line(line, number)
    except FaultyRowError as fault:
        return fault.with_traceback(None)
    if isinstance(value, dict):
        return value
    return FaultyRowError(
        "not-an-object", tr("line {line} is {kind}", line=number, kind=kind_of(value))
    )
