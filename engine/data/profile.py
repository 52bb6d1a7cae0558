"""What the first rows hold in each column: names alone do not tell lookalikes apart."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from engine.data.normalize.cells import from_cell
from engine.data.normalize.roles import ANSWERING, ASKING, SENDER_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Kind = Literal[
    "null", "text", "json", "number", "from", "role", "pair", "turn", "list", "object", "other"
]
"""Of a value; ``from`` and ``role`` are lists of turns in ShareGPT's or OpenAI's form, ``pair``
one of questions with their answers, ``turn`` a single turn; ``json`` is the text of any other
list or object."""

_ROWS = 300
_COLUMNS = 400
_MAX_CELL = 200_000


def first_rows(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Take as many rows as are looked at."""
    return list(islice(rows, _ROWS))


def column_kinds(rows: Sequence[Mapping[str, Any]]) -> dict[str, Kind]:
    """Tell what most values of each column are; columns in order of appearance."""
    seen: dict[str, Counter[Kind]] = {}
    for row in rows:
        for column, value in islice(row.items(), _COLUMNS):
            if column in seen or len(seen) < _COLUMNS:
                kinds = seen.setdefault(column, Counter())
                kinds[kind(value)] += 1
    return {column: _most(kinds) for column, kinds in seen.items()}


def _most(kinds: Counter[Kind]) -> Kind:
    """Choose the kind that most values have, those that say nothing aside."""
    told = Counter({one: count for one, count in kinds.items() if one != "null"})
    return told.most_common(1)[0][0] if told else "null"


def kind(value: Any) -> Kind:
    """Name the kind of a value; an empty one says nothing."""
    if isinstance(value, str):
        return _kind_of_text(value)
    if value is None or value == [] or value == {}:
        return "null"
    if isinstance(value, (bool, int, float)):
        return "number"
    if isinstance(value, list):
        return _kind_of_list(value)
    if isinstance(value, dict):
        return "turn" if _form(value) else "object"
    return "other"


def _kind_of_text(value: str) -> Kind:
    """Look into a text that may be a list of turns written into a table's cell."""
    if not value or value.isspace():
        return "null"
    inner = from_cell(value) if len(value) <= _MAX_CELL else value
    if isinstance(inner, list) and inner:
        found = _kind_of_list(inner)
        return "json" if found == "list" else found
    return "text" if isinstance(inner, str) else "json"


def _kind_of_list(value: list[Any]) -> Kind:
    """Tell lists of turns from others by their first entry."""
    return _form(value[0]) or "list"


def _form(turn: Any) -> Literal["from", "role", "pair"] | None:
    """Tell in whose form a turn is written; ``None`` where it is none."""
    if not isinstance(turn, dict):
        return None
    sender = next((key for key in SENDER_KEYS if turn.get(key) is not None), None)
    if sender is not None:
        speaks = ("content", "value", "text", "parts", "message", "tool_calls", "function_call")
        has_text = any(key in turn for key in speaks)
        return None if not has_text else "role" if sender == "role" else "from"
    is_pair = any(key in turn for key in ASKING) and any(key in turn for key in ANSWERING)
    return "pair" if is_pair else None
