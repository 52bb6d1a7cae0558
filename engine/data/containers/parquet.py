"""Rows of a Parquet file, a small batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.data.containers.refusals import damaged, expands, reading
from engine.data.containers.stream import EXPANSION, FREE_EXPANSION, Expansion, Progress
from engine.data.containers.table import batch_rows, check_schema
from engine.data.words import shown
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.data.faults import FaultyRowError

_BATCH_BYTES = 4_000_000
_BATCH_ROWS = 512
_CHUNK_EXPANSION = 20
"""Times a column's pages may exceed what they are packed to: texts reach ten at most."""


def parquet_rows(path: Path, progress: Progress) -> Iterator[dict[str, Any] | FaultyRowError]:
    """Read each row.

    Raises:
        LoraDeckError: The file is damaged, has unknown column types, or expands beyond all reason.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    expansion, number = Expansion(path), 1
    with reading(path):
        try:
            # Texts that are stored once stay stored once: see table.py
            with pq.ParquetFile(path, pre_buffer=False) as file:
                texts = _text_columns(file)
            with pq.ParquetFile(
                path, read_dictionary=texts, pre_buffer=False, buffer_size=1 << 16
            ) as file:
                _check(file, path, progress.total)
                for batch in _batches(file):
                    for row, size in batch_rows(batch, number):
                        number += 1
                        expansion.add(size, progress.done)
                        yield row
                    progress.done = progress.total * (number - 1) // max(1, file.metadata.num_rows)
        except (pa.ArrowException, ValueError, TypeError, KeyError) as error:
            raise damaged(path, "Parquet", error) from None
        except OSError as error:
            if error.errno is None:
                raise damaged(path, "Parquet", error) from None
            raise


def _text_columns(file: Any) -> list[str]:
    """Name the columns that hold texts or bytes, nested ones by their whole path."""
    columns = (file.schema.column(index) for index in range(len(file.schema)))
    return [
        column.path
        for column in columns
        if column.physical_type == "BYTE_ARRAY" and column.logical_type.type != "DECIMAL"
    ]


def _check(file: Any, path: Path, size: int) -> None:
    """Refuse by what the file says of itself, before anything is unpacked."""
    check_schema(file.schema_arrow, path)
    meta = file.metadata
    if not meta.num_rows or not meta.num_columns:
        raise LoraDeckError(
            "Dataset has no rows",
            f"{shown(path)} is a table without rows.",
            "Check how it was made.",
        )
    allowed = FREE_EXPANSION + EXPANSION * size
    if meta.num_rows * 8 > allowed:
        raise expands(path)
    for group in range(meta.num_row_groups):
        for index in range(meta.num_columns):
            column = meta.row_group(group).column(index)
            unpacked, packed = column.total_uncompressed_size, column.total_compressed_size
            if unpacked > FREE_EXPANSION + _CHUNK_EXPANSION * packed:
                raise expands(path, unpacked / max(1, packed))
            width = max(8, file.schema.column(index).length or 0)
            if column.num_values * width > allowed:
                raise expands(path)


def _batches(file: Any) -> Iterator[Any]:
    """Read batches of a few megabytes, by each row group's own average."""
    for index in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(index)
        average = max(1, group.total_byte_size // max(1, group.num_rows))
        rows = max(1, min(_BATCH_ROWS, _BATCH_BYTES // average))
        yield from file.iter_batches(batch_size=rows, row_groups=[index], use_threads=False)
