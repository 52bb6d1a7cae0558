"""Take the fields out of a row by the columns that a shape names, and check that they are text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engine.data.faults import FaultyRowError
from engine.data.words import key_list, kind_of, shown
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.data.normalize.place import Place
    from engine.data.types import Shape

MISSING: Final = object()
"""What a getter gives where the row has no such column; null is a value."""


def find(row: Mapping[str, Any], column: str, otherwise: Any = MISSING) -> Any:
    """Give a column's value, or follow a dotted path into it: ``meta.answer``, ``answers.0``."""
    if column in row:
        return row[column]
    value: Any = row
    for part in column.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part[:9]) < len(value):
            value = value[int(part[:9])]
        else:
            return otherwise
    return value


class Columns:
    """The columns of a shape, by field.

    A field that the shape leaves out is looked for under its own name, as a column may appear
    only after the rows that the shape was read from; an empty column switches a field off.
    """

    def __init__(self, shape: Shape) -> None:
        self._columns = dict(shape.columns)
        self._taken = set(shape.columns.values())
        self._names: dict[str, str] = {}

    def name(self, field: str) -> str:
        """Give the column of a field, fit to be shown."""
        if (known := self._names.get(field)) is None:
            known = self._names[field] = shown(self._columns.get(field, field))
        return known

    def has(self, field: str) -> bool:
        """Tell whether the shape names a column for this field."""
        return bool(self._columns.get(field))

    def getter(self, field: str, otherwise: Any = MISSING) -> Callable[[Mapping[str, Any]], Any]:
        """Make a function that takes this field out of a row; ``otherwise`` where it is missing."""
        column = self._columns.get(field, "" if field in self._taken else field)
        if not column:
            return lambda _row: otherwise
        if "." in column:
            return lambda row: find(row, column, otherwise)
        return lambda row: row.get(column, otherwise)

    def text(self, value: Any, field: str) -> str:
        """Read a text that any tokenizer can take."""
        if isinstance(value, str) and value.isascii():
            return value
        return text_of(value, self.name(field))

    def optional_text(self, value: Any, field: str) -> str:
        """Read a text that may be absent or null."""
        return "" if value is None or value is MISSING else self.text(value, field)

    @staticmethod
    def is_missing(value: Any) -> bool:
        """Tell whether the row has no such column."""
        return value is MISSING

    @staticmethod
    def other_shape(row: Mapping[str, Any]) -> FaultyRowError:
        """Word that a row has none of the columns it needs."""
        return FaultyRowError("other-shape", tr("its keys are {keys}", keys=key_list(row)))


def text_of(value: Any, name: str | Place) -> str:
    """Read a text; ``name`` is what it is called, fit to be shown."""
    if not isinstance(value, str):
        raise FaultyRowError(
            "wrong-type", tr("'{name}' is {kind}, not a text", name=name, kind=kind_of(value))
        )
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FaultyRowError(
            "broken-text", tr("'{name}' holds half a character", name=name)
        ) from None
    return value
