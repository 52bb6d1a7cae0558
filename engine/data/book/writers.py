"""Write rows to a file, one by one, in a format."""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engine.data.book.look import read_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.data.book.columns import Columns
    from engine.data.book.reports import Format

    Write = Callable[[str], None]

_GROUP_ROWS = 5000
_GROUP_CHARACTERS = 32_000_000


@contextmanager
def writer(form: Format, target: Path, columns: Columns) -> Iterator[Write]:
    """Open a file for rows, each given as JSON; it is whole once this ends.

    Args:
        form: The format.
        target: Where it goes.
        columns: All that the rows have; for CSV and Parquet.
    """
    if form == "parquet":
        with _parquet(target, columns) as write:
            yield write
        return
    with target.open("w", encoding="utf-8", errors="replace", newline="") as file:
        if form == "jsonl":
            yield lambda row: _line(file, row)
        elif form == "csv":
            yield _csv(file, columns)
        else:
            count = 0

            def add(row: str) -> None:
                nonlocal count
                file.write(("," if count else "[") + "\n" + row)
                count += 1

            yield add
            file.write("\n]\n" if count else "[]\n")


def _line(file: Any, row: str) -> None:
    """Write a line."""
    file.write(row + "\n")


def _csv(file: Any, columns: Columns) -> Write:
    """Write the header, and then cells: texts as they are, all else as JSON."""
    names = list(columns.kinds)
    table = csv.writer(file, lineterminator="\n")
    table.writerow(names)

    def add(row: str) -> None:
        value = read_value(row)
        table.writerow([_cell(value.get(name)) for name in names])

    return add


def _cell(value: Any) -> str:
    """Write one value; nothing for null."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@contextmanager
def _parquet(target: Path, columns: Columns) -> Iterator[Write]:
    """Write row groups of a bounded size; columns of mixed kinds hold JSON."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = columns.schema()
    mixed = [name for name, kind in columns.kinds.items() if kind == "mixed"]
    group: list[dict[str, Any]] = []
    size = 0

    def flush() -> None:
        nonlocal size
        if group:
            file.write_table(pa.Table.from_pylist(group, schema=schema))
            group.clear()
            size = 0

    def add(row: str) -> None:
        nonlocal size
        value = read_value(row)
        for name in mixed:
            if name in value and value[name] is not None:
                value[name] = json.dumps(value[name], ensure_ascii=False)
        group.append(value)
        size += len(row)
        if len(group) >= _GROUP_ROWS or size >= _GROUP_CHARACTERS:
            flush()

    with pq.ParquetWriter(target, schema, compression="zstd") as file:
        yield add
        flush()
