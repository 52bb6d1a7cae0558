"""Rows of a Parquet file, a small batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from engine.data.containers.parquet_columns import (
    check_columns,
    folded_columns,
    row_groups,
    rows_at_once,
)
from engine.data.containers.refusals import damaged, reading
from engine.data.containers.stream import Expansion, Progress
from engine.data.containers.table import batch_rows, check_schema
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.data.containers.parquet_columns import Group
    from engine.data.faults import FaultyRowError

_BUFFER = 1 << 16


def parquet_rows(path: Path, progress: Progress) -> Iterator[dict[str, Any] | FaultyRowError]:
    """Read each row.

    Raises:
        LoraDeckError: The file is damaged, has unknown column types, or expands beyond all reason.
    """
    import pyarrow as pa

    with reading(path), path.open("rb") as raw:
        try:
            yield from _rows(path, raw, progress)
        except (pa.ArrowException, ValueError, TypeError, KeyError) as error:
            raise damaged(path, "Parquet", error) from None
        except OSError as error:
            if error.errno is None:
                raise damaged(path, "Parquet", error) from None
            raise


def _rows(
    path: Path, raw: BinaryIO, progress: Progress
) -> Iterator[dict[str, Any] | FaultyRowError]:
    """Read batch after batch."""
    import pyarrow.parquet as pq

    groups = row_groups(raw)
    with pq.ParquetFile(path, pre_buffer=False) as file:
        _check(file, groups, path, progress.total)
        folded = folded_columns(file, groups)
    expansion, number = Expansion(path), 1
    with pq.ParquetFile(
        path, read_dictionary=folded, pre_buffer=False, buffer_size=_BUFFER
    ) as file:
        for batch in _batches(file, groups, raw):
            for row, size in batch_rows(batch, number):
                number += 1
                expansion.add(size, progress.done)
                yield row
            progress.done = progress.total * (number - 1) // max(1, file.metadata.num_rows)


def _check(file: Any, groups: list[Group], path: Path, size: int) -> None:
    """Refuse by what the file says of itself, before anything is unpacked."""
    check_schema(file.schema_arrow, path)
    if not file.metadata.num_rows or not file.metadata.num_columns:
        raise LoraDeckError(
            tr("Dataset has no rows"),
            tr("{path} is a table without rows.", path=shown(path)),
            tr("Check that it was written whole."),
        )
    check_columns(file, groups, path, size)


def _batches(file: Any, groups: list[Group], raw: BinaryIO) -> Iterator[Any]:
    """Read batches of a few megabytes."""
    for index, group in enumerate(groups):
        rows = rows_at_once(group, raw)
        yield from file.iter_batches(batch_size=rows, row_groups=[index], use_threads=False)
