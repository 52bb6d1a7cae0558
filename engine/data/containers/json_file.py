"""Rows of a JSON file: a list, a list under some key, or objects one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.data.containers.cursor import WANTED, Cursor
from engine.data.faults import FaultyRowError
from engine.data.words import kind_of, shown
from engine.errors import LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOOKED_AT = 64_000_000
"""Characters in which the longest list is looked for; beyond, the first that long is taken."""
_MOST_VALUES = 200_000
"""Values after which the search ends too; they take half a second."""
_DEEPEST_LIST = 3
_ROW_KEYS = {"instruction", "prompt", "question", "output", "response", "completion", "answer"}
_NO_ROWS = {"tools", "functions", "tool_calls"}
_TURN = ({"role", "from", "sender", "speaker"}, {"content", "value", "text", "tool_calls"})


@dataclass
class Found:
    """A list of objects inside an object."""

    keys: tuple[str, ...]
    """The keys that lead to it, outermost first."""
    count: int
    """Objects seen in it."""


def list_rows(cursor: Cursor, path: Path) -> Iterator[dict[str, Any] | FaultyRowError]:
    """Read the elements of a list, which must be all there is."""
    rows = 0
    for value in _elements(cursor):
        rows += 1
        if isinstance(value, dict):
            yield value
        else:
            yield FaultyRowError(
                "not-an-object", tr("row {row} is {kind}", row=rows, kind=kind_of(value))
            )
    if cursor.peek():
        raise cursor.goes_on()
    if not rows:
        raise LoraDeckError(
            tr("Dataset has no rows"), tr("{path} is an empty list.", path=shown(path)), tr(WANTED)
        )


def rows_under(cursor: Cursor, keys: tuple[str, ...]) -> Iterator[dict[str, Any] | FaultyRowError]:
    """Read the list that ``keys`` lead to, and go over everything else."""
    yield from _rows_in_object(cursor, keys)
    if cursor.peek():
        raise cursor.goes_on()


def object_rows(cursor: Cursor) -> Iterator[dict[str, Any]]:
    """Read objects that follow each other; most often it is just one."""
    while next_one := cursor.peek():
        if next_one != "{":
            raise cursor.goes_on()
        yield cursor.value()


def single_value(cursor: Cursor, path: Path) -> LoraDeckError:
    """Say what the file holds in place of rows."""
    return LoraDeckError(
        tr("Not a list of rows"),
        tr(
            "{path} holds {kind}, not a list of rows.",
            path=shown(path),
            kind=kind_of(cursor.value()),
        ),
        tr(WANTED),
    )


def find_list(cursor: Cursor) -> Found | None:
    """Find the longest list of rows inside an object, if the object is no row itself."""
    lists: list[Found] = []
    if _look_into(cursor, (), lists):
        return None
    # Splits: the one to train on, however long the others are
    lists = [found for found in lists if found.keys[-1] == "train"] or lists
    return max(lists, key=lambda found: found.count, default=None)


def _look_into(cursor: Cursor, keys: tuple[str, ...], lists: list[Found]) -> bool:
    """Collect the lists of an object's values; tell whether it looks like a row."""
    row_keys = 0
    for key in _keys(cursor):
        opening = cursor.peek()
        if opening == "[":
            _count(cursor, (*keys, key), lists)
        elif opening == "{" and len(keys) + 1 < _DEEPEST_LIST:
            _look_into(cursor, (*keys, key), lists)
        else:
            row_keys += isinstance(cursor.value(), str) and key in _ROW_KEYS
        if cursor.passed > _LOOKED_AT or cursor.values > _MOST_VALUES:
            break
    return row_keys > 1


def _count(cursor: Cursor, keys: tuple[str, ...], lists: list[Found]) -> None:
    """Count the objects of a list, if they may be rows."""
    found = Found(keys, 0)
    may_be_rows = keys[-1] not in _NO_ROWS
    for value in _elements(cursor):
        if isinstance(value, dict):
            if found.count == 0:
                may_be_rows = may_be_rows and not _is_turn(value)
            found.count += 1
        if cursor.passed > _LOOKED_AT or cursor.values > _MOST_VALUES:
            break
    if may_be_rows and found.count:
        lists.append(found)


def _is_turn(value: dict[str, Any]) -> bool:
    """Tell whether an object is a turn of a conversation rather than a row."""
    speaker, words = _TURN
    return bool(speaker & value.keys() and words & value.keys())


def _rows_in_object(
    cursor: Cursor, keys: tuple[str, ...]
) -> Iterator[dict[str, Any] | FaultyRowError]:
    """Go through an object; ``keys`` lead to the rows from here."""
    rows = 0
    for key in _keys(cursor):
        opening = cursor.peek()
        if opening == "[":
            for value in _elements(cursor):
                if keys != (key,):
                    continue
                rows += 1
                if isinstance(value, dict):
                    yield value
                else:
                    yield FaultyRowError(
                        "not-an-object", tr("row {row} is {kind}", row=rows, kind=kind_of(value))
                    )
        elif opening == "{" and keys[:1] == (key,):
            yield from _rows_in_object(cursor, keys[1:])
        elif opening == "{":
            _go_over(cursor, 1)
        else:
            cursor.value()


def _go_over(cursor: Cursor, depth: int) -> None:
    """Go over an object without holding it whole."""
    if depth >= _DEEPEST_LIST:
        cursor.value()
        return
    for _ in _keys(cursor):
        opening = cursor.peek()
        if opening == "[":
            for _ in _elements(cursor):
                pass
        elif opening == "{":
            _go_over(cursor, depth + 1)
        else:
            cursor.value()


def _elements(cursor: Cursor) -> Iterator[Any]:
    """Read the values of a list."""
    cursor.take("[")
    if cursor.peek() == "]":
        cursor.take("]")
        return
    while True:
        yield cursor.value()
        if cursor.take(",]") == "]":
            return


def _keys(cursor: Cursor) -> Iterator[str]:
    """Read an object's keys; whoever takes one goes over its value."""
    cursor.take("{")
    if cursor.peek() == "}":
        cursor.take("}")
        return
    while True:
        key = cursor.text()
        cursor.take(":")
        yield key
        if cursor.take(",}") == "}":
            return
