"""Parse JSON: one value fast, with exact words where it is broken, and none nested too deep."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from engine.data.faults import FaultyRowError
from engine.language import mark, tr

DEPTH_LIMIT = 100
CONTAINERS_LIMIT = 1_000_000
"""Lists and objects in one row: an empty one takes two bytes in the file and 70 in memory."""
_REASONS = (
    mark("Expecting value"),
    mark("Expecting ',' delimiter"),
    mark("Expecting ':' delimiter"),
    mark("Expecting property name enclosed in double quotes"),
    mark("Illegal trailing comma before end of object"),
    mark("Illegal trailing comma before end of array"),
    mark("Invalid control character"),
    mark("Invalid \\escape"),
    mark("Invalid \\uXXXX escape"),
    mark("Unterminated string"),
    mark("Extra data"),
)
"""What ``reason`` gives, the words of Python's own parser."""
_fast = msgspec.json.Decoder().decode


class NestedTooDeepError(Exception):
    """Lists or objects lie too deep within each other, or are too many."""


def parse_line(line: bytes, number: int) -> Any:
    """Parse one line of JSONL in UTF-8.

    Raises:
        FaultyRowError: It is broken, nested too deep or no UTF-8; names line and column.
    """
    try:
        return _parse(line)
    except json.JSONDecodeError as error:
        detail = tr(
            "line {line}, column {column}: {reason}",
            line=number,
            column=error.colno,
            reason=tr(reason(error)),
        )
    except UnicodeDecodeError as error:
        detail = tr(
            "line {line}: byte {place} (0x{value:02X}) is not UTF-8",
            line=number,
            place=error.start + 1,
            value=line[error.start],
        )
    except (RecursionError, NestedTooDeepError):
        detail = tr("line {line}: {reason}", line=number, reason=nested_too_deep())
    raise FaultyRowError("broken-json", detail) from None


def _parse(line: bytes) -> Any:
    """Parse a line, fast where it is plain JSON."""
    opened = line.count(b"{") + line.count(b"[")
    if opened > CONTAINERS_LIMIT:
        raise NestedTooDeepError
    try:
        value = _fast(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Python's own reader takes NaN and half characters, and says where and why it fails
        value = DECODER.decode(line.decode())
    if opened > DEPTH_LIMIT:
        check_depth(value)
    return value


def check_depth(value: Any) -> None:
    """Refuse a value that is nested so deep that what handles it later would fail.

    Raises:
        NestedTooDeepError: It is.
    """
    level = [value]
    for _ in range(DEPTH_LIMIT):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise NestedTooDeepError


def nested_too_deep() -> str:
    """Say that lists or objects are nested too deep, as a clause."""
    return tr("lists or objects lie over {levels} deep within each other", levels=DEPTH_LIMIT)


def reason(error: json.JSONDecodeError) -> str:
    """Give the parser's words without the place they want to lead into."""
    return error.msg.removesuffix(" at").removesuffix(" starting")


def _integer(digits: str) -> int | str:
    """Read an integer of any length: Python refuses those over 4,300 digits."""
    return int(digits) if len(digits) < 4000 else digits


def _fraction(digits: str) -> float | None:
    """Read a number; one that is too large for JSON's readers elsewhere is none."""
    value = float(digits)
    return value if math.isfinite(value) else None


DECODER = json.JSONDecoder(
    parse_int=_integer, parse_float=_fraction, parse_constant=lambda _: None, strict=True
)
"""Python's own; NaN and Infinity, which are no JSON, become null."""
