"""What kind of values a dataset's columns hold, for formats that want one kind in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

Kind = str | tuple[str, Any] | None
"""``text``, ``int``, ``float``, ``bool``; a list or an object with the kinds in it; ``mixed``,
which is written as JSON; ``None`` where there were only nulls."""
_MOST = 1 << 63


class Columns:
    """Collects the columns of rows, in the order in which they appear."""

    def __init__(self) -> None:
        self.kinds: dict[str, Kind] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Look at a row."""
        for name, value in row.items():
            known = self.kinds.get(name)
            if known != "mixed":
                self.kinds[name] = _joined(known, _kind(value))

    def schema(self) -> pa.Schema:
        """Give the columns' types in Arrow."""
        import pyarrow as pa

        return pa.schema([(name, _arrow(kind)) for name, kind in self.kinds.items()])


def _kind(value: Any) -> Kind:
    """Name a value's kind."""
    if value is None:
        return None
    if isinstance(value, list):
        inner: Kind = None
        for item in value:
            inner = _joined(inner, _kind(item))
        return "mixed" if inner == "mixed" else ("list", inner)
    if isinstance(value, dict):
        fields = tuple((key, _kind(item)) for key, item in sorted(value.items()))
        empty = not fields or any(kind == "mixed" for _, kind in fields)
        return "mixed" if empty else ("object", fields)
    if isinstance(value, int) and not isinstance(value, bool):
        return "int" if -_MOST <= value < _MOST else "mixed"
    return {bool: "bool", float: "float", str: "text"}[type(value)]


def _joined(one: Kind, other: Kind) -> Kind:
    """Give the kind that holds both values without changing any."""
    if one == other or other is None:
        return one
    if one is None:
        return other
    if {one, other} == {"int", "float"}:
        return "float"
    if isinstance(one, tuple) and isinstance(other, tuple) and one[0] == other[0]:
        return _joined_nested(one, other)
    return "mixed"


def _joined_nested(one: tuple[str, Any], other: tuple[str, Any]) -> Kind:
    """Join two lists, or two objects with the same keys: others would get keys they had not."""
    if one[0] == "list":
        inner = _joined(one[1], other[1])
        return "mixed" if inner == "mixed" else ("list", inner)
    if [key for key, _ in one[1]] != [key for key, _ in other[1]]:
        return "mixed"
    fields = tuple((key, _joined(a, b)) for (key, a), (_, b) in zip(one[1], other[1], strict=True))
    return "mixed" if any(kind == "mixed" for _, kind in fields) else ("object", fields)


def _arrow(kind: Kind) -> pa.DataType:
    """Give the Arrow type of a kind."""
    import pyarrow as pa

    if isinstance(kind, tuple):
        if kind[0] == "list":
            return pa.list_(_arrow(kind[1]))
        return pa.struct([(key, _arrow(inner)) for key, inner in kind[1]])
    plain = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
    return plain.get(kind or "text", pa.string())
