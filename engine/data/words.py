"""Wording that the messages about datasets share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.language import listed, mark, tr, trn
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHOWN_ROWS = 10
_SHOWN_KEYS = 12
_SHOWN_CHARACTERS = 60
_KINDS = {
    bool: mark("true or false"),
    int: mark("a number"),
    float: mark("a number"),
    str: mark("a text"),
    list: mark("a list"),
    tuple: mark("a list"),
    dict: mark("an object"),
    bytes: mark("raw bytes"),
    type(None): "null",
}


def shown(text: object) -> str:
    """Make a path, key or value safe to show."""
    return visible(str(text))


def brief(text: object) -> str:
    """Show at most 60 characters of a text."""
    words = shown(text)
    return words if len(words) <= _SHOWN_CHARACTERS else words[: _SHOWN_CHARACTERS - 1] + "…"


def kind_of(value: Any) -> str:
    """Name the JSON kind of a value as users know it; of a kind JSON lacks, its type's name."""
    known = _KINDS.get(type(value))
    return tr(known) if known else tr("of the type {name}", name=type(value).__name__)


def key_list(keys: Iterable[str]) -> str:
    """List keys, the first twelve of them."""
    names = [brief(key) for key in keys]
    more = ["…"] if len(names) > _SHOWN_KEYS else []
    return listed([*names[:_SHOWN_KEYS], *more]) or tr("no keys")


def row_list(rows: Sequence[int], count: int) -> str:
    """List row numbers: ``row 3``, ``rows 2, 5, …``; ``count`` is how many there are in all."""
    more = ["…"] if count > min(len(rows), SHOWN_ROWS) else []
    numbers = listed([*map(str, rows[:SHOWN_ROWS]), *more])
    return trn("row {numbers}", "rows {numbers}", count, numbers=numbers)
