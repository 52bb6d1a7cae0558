"""Read Thrift's compact form, in which a Parquet file describes itself.

pyarrow reads it too, but ends the whole process at some damaged descriptions of column chunks
(an exception of C++ that nothing catches): so they are looked at here first.
"""

from __future__ import annotations

from typing import Any

from engine.language import tr

_DEEPEST = 16
_TRUE, _FALSE, _BYTE, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = (
    *(1, 2, 3, 6, 7, 8, 9, 10, 11, 12),
)


class Compact:
    """A place in bytes that hold values in Thrift's compact form.

    Raises:
        ValueError: From its methods: the bytes are damaged or cut off.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self, depth: int = 0, fields: int | None = None) -> dict[int, Any]:
        """Read a struct as its fields by number; only the first ``fields`` of them if given."""
        found: dict[int, Any] = {}
        number = 0
        while fields is None or len(found) < fields:
            head = self._byte()
            if head == 0:
                break
            kind, step = head & 15, head >> 4
            number = number + step if step else self.integer()
            found[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return found

    def integer(self) -> int:
        """Read a number."""
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)

    def _value(self, kind: int, depth: int) -> Any:
        """Read a value of some kind."""
        if depth > _DEEPEST:
            raise ValueError(tr("values nested too deep"))
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in (_LIST, _SET):
            return self._list(depth + 1)
        if kind == _MAP:
            return self._map(depth + 1)
        if kind == _BINARY:
            return self._bytes(self._unsigned())
        if kind == _DOUBLE:
            return self._bytes(8)
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind <= _I64:
            return self.integer()
        raise ValueError(tr("a value of an unknown kind"))

    def _list(self, depth: int) -> list[Any]:
        """Read a list."""
        head = self._byte()
        count, kind = head >> 4, head & 15
        count = self._unsigned() if count == 15 else count
        self._check(count)
        return [self._value(kind, depth) for _ in range(count)]

    def _map(self, depth: int) -> list[tuple[Any, Any]]:
        """Read a map as its pairs."""
        count = self._unsigned()
        self._check(count)
        kinds = self._byte() if count else 0
        return [
            (self._value(kinds >> 4, depth), self._value(kinds & 15, depth)) for _ in range(count)
        ]

    def _check(self, count: int) -> None:
        """Refuse a length beyond the end: each value takes a byte at least."""
        if count > len(self._data) - self._at:
            raise ValueError(tr("a list that goes on beyond the end"))

    def _byte(self) -> int:
        """Read a byte."""
        return self._bytes(1)[0]

    def _bytes(self, count: int) -> bytes:
        """Read some bytes."""
        self._check(count)
        start = self._at
        self._at += count
        return self._data[start : self._at]

    def _unsigned(self) -> int:
        """Read a number of seven bits a byte, the lowest first."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError(tr("a number without an end"))
