"""Turn Arrow's record batches into rows of JSON values, holding little at a time.

A batch may be small in memory and huge as rows: a dictionary-encoded column holds a long text once
and refers to it a million times. So the size of the rows is reckoned before they are made.
"""

from __future__ import annotations

import base64
import datetime
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.data.containers.json_values import (
    CONTAINERS_LIMIT,
    NestedTooDeepError,
    check_depth,
    nested_too_deep,
)
from engine.data.containers.refusals import ROW_LIMIT
from engine.data.faults import FaultyRowError, RowTooLargeError
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PIECE = 8_000_000
"""Bytes of rows that are made at once."""


def batch_rows(batch: Any, first: int) -> Iterator[tuple[dict[str, Any] | FaultyRowError, int]]:
    """Make the rows of a record batch.

    Args:
        batch: A ``pyarrow.RecordBatch`` whose types ``check_schema`` has passed.
        first: The number of its first row, for the words on a row that cannot be made.

    Yields:
        The row and about how many bytes it takes.
    """
    size = sum(_unfolded(column) for column in batch.columns)
    if batch.num_rows > 1 and size > _PIECE:
        half = batch.num_rows // 2
        yield from batch_rows(batch.slice(0, half), first)
        yield from batch_rows(batch.slice(half), first + half)
    elif size > 2 * ROW_LIMIT:
        words = tr("row {row} is larger than {limit}", row=first, limit=human_bytes(2 * ROW_LIMIT))
        yield RowTooLargeError("broken-json", words), 0
    else:
        for row in _made(batch, first):
            yield row, size // max(1, batch.num_rows)


def check_schema(schema: Any, path: Path) -> None:
    """Refuse column types that no dataset has and that cannot be measured before they are made.

    Raises:
        LoraDeckError: Names the column and its type.
    """
    for field in schema:
        if not _is_known(field.type, 0):
            raise LoraDeckError(
                tr("Column of an unknown type"),
                tr(
                    "{path}: column {name} has the type {type}.",
                    path=shown(path),
                    name=shown(field.name),
                    type=shown(str(field.type))[:80],
                ),
                tr("Save the dataset with columns of text, numbers, lists and structs."),
            )


def _made(batch: Any, first: int) -> Iterator[dict[str, Any] | FaultyRowError]:
    """Make all rows at once; where a value resists, row by row."""
    import pyarrow as pa

    names = _names(batch.schema.names)
    try:
        columns = [_values(column) for column in batch.columns]
    except (ValueError, OverflowError, pa.ArrowException) as error:
        if batch.num_rows > 1:
            for index in range(batch.num_rows):
                yield from _made(batch.slice(index, 1), first + index)
        else:
            words = " ".join(shown(error).split())[:200]
            yield FaultyRowError("broken-json", tr("row {row}: {reason}", row=first, reason=words))
        return
    except (NestedTooDeepError, RecursionError):
        yield FaultyRowError(
            "broken-json", tr("row {row}: {reason}", row=first, reason=nested_too_deep())
        )
        return
    for cells in zip(*columns, strict=True):
        yield dict(zip(names, cells, strict=True))


def _names(names: list[str]) -> list[str]:
    """Give each column a name of its own."""
    own: list[str] = []
    for name in names:
        own.append(name if name not in own else f"{name} ({len(own) + 1})")
    return own


def _values(column: Any) -> list[Any]:
    """Make a column's values JSON values."""
    import pyarrow as pa

    wanted = _plain(column.type)
    if wanted != column.type:
        column = column.cast(wanted, safe=False)
    values: list[Any] = column.to_pylist(maps_as_pydicts="lossy")
    if pa.types.is_string(wanted) or pa.types.is_large_string(wanted):
        return values
    if pa.types.is_nested(wanted):
        check_depth(values)
    return [to_json(value) for value in values]


def to_json(value: Any) -> Any:
    """Make a JSON value of any value that Arrow gives."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): to_json(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(inner) for inner in value]
    if isinstance(value, bytes):
        return _text_of(value)
    if isinstance(value, (datetime.date, datetime.time)):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return str(value)


def _text_of(data: bytes) -> str:
    """Read bytes as UTF-8 text; where they are none, write them in base64."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()


def _plain(kind: Any) -> Any:
    """Give the type without dictionaries, wrappers, and times finer than Python's."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return _plain(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(kind.storage_type)
    if types.is_nested(kind):
        return _plain_nested(kind)
    if types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if types.is_duration(kind) and kind.unit == "ns":
        return pa.duration("us")
    return pa.time64("us") if types.is_time64(kind) else kind


def _plain_nested(kind: Any) -> Any:
    """Give a list, struct or map of plain types."""
    import pyarrow as pa

    types = pa.types
    if types.is_struct(kind):
        return pa.struct([field.with_type(_plain(field.type)) for field in kind])
    if types.is_map(kind):
        return pa.map_(_plain(kind.key_type), kind.item_field.with_type(_plain(kind.item_type)))
    element = kind.value_field.with_type(_plain(kind.value_type))
    if types.is_fixed_size_list(kind):
        return pa.list_(element, kind.list_size)
    return pa.large_list(element) if types.is_large_list(kind) else pa.list_(element)


def _is_known(kind: Any, depth: int) -> bool:
    """Tell whether a type can be measured and made into JSON values."""
    import pyarrow as pa

    types = pa.types
    if depth > 60:  # deeper, Python's own recursion ends
        return False
    if isinstance(kind, pa.BaseExtensionType):
        return _is_known(kind.storage_type, depth + 1)
    if types.is_dictionary(kind):
        return not types.is_nested(kind.value_type) and _is_known(kind.value_type, depth + 1)
    if types.is_union(kind) or types.is_run_end_encoded(kind):
        return False
    if types.is_list_view(kind) or types.is_large_list_view(kind):
        return False
    if types.is_fixed_size_binary(kind):
        return bool(kind.byte_width < 1 << 16)
    if types.is_fixed_size_list(kind) and kind.list_size > CONTAINERS_LIMIT:
        return False
    fields = (kind.field(index) for index in range(kind.num_fields))
    return all(_is_known(field.type, depth + 1) for field in fields)


def _unfolded(column: Any) -> int:
    """Reckon how many bytes a column's values take once each stands for itself."""
    import pyarrow as pa
    import pyarrow.compute as pc

    types, kind, own = pa.types, column.type, 16 * len(column)
    if isinstance(kind, pa.BaseExtensionType):
        return _unfolded(column.storage)
    if types.is_dictionary(kind):
        if not _has_length(kind.value_type):
            return own
        lengths = pc.binary_length(column.dictionary).cast(pa.int64())
        return own + (pc.sum(lengths.take(column.indices)).as_py() or 0)
    if _has_length(kind):
        return own + (pc.sum(pc.binary_length(column).cast(pa.int64())).as_py() or 0)
    if types.is_fixed_size_binary(kind):
        return int(own + len(column) * kind.byte_width)
    if types.is_struct(kind):
        return own + 4 * own + sum(_unfolded(field) for field in column.flatten())
    if types.is_map(kind):
        pair = pa.struct([("key", kind.key_type), ("value", kind.item_type)])
        return own + _unfolded(column.cast(pa.list_(pair)).flatten())
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return own + 4 * own + _unfolded(column.flatten())
    return own


def _has_length(kind: Any) -> bool:
    """Tell whether a type's values are texts or bytes of any length."""
    import pyarrow as pa

    types = pa.types
    texts = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    data = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    return bool(texts or data)
