"""What a Parquet file's columns may become once they are unpacked, by what it says of itself.

A value that many rows share is stored once, in a column chunk's dictionary page. So few rows are
unpacked at once that each of them could be the whole dictionary. Inside lists one row may have any
number of values: there Arrow keeps them as they are stored (a *folded* column), so that the row can
be measured before it is made. But that keeps all different values of a row group: only small
chunks are read in this way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from engine.data.containers.refusals import expands
from engine.data.containers.stream import EXPANSION, FREE_EXPANSION

if TYPE_CHECKING:
    from pathlib import Path

_FOLDED = 48_000_000
"""Bytes of the largest chunk that is kept folded."""
_BATCH_BYTES = 4_000_000
_WIDEST_BATCH = 64_000_000
_BATCH_ROWS = 512
_CHUNK_EXPANSION = 20
"""Times a column's pages may exceed what they are packed to: texts reach ten at most."""
_DICTIONARY_PAGE = 2


def check_columns(file: Any, path: Path, size: int) -> None:
    """Refuse a ``ParquetFile`` whose pages expand beyond all reason.

    Raises:
        LoraDeckError: Names the file and how far it expands.
    """
    allowed = FREE_EXPANSION + EXPANSION * size
    if file.metadata.num_rows * 8 > allowed:
        raise expands(path)
    for _, index, chunk in _chunks(file):
        unpacked, packed = chunk.total_uncompressed_size, chunk.total_compressed_size
        if unpacked > FREE_EXPANSION + _CHUNK_EXPANSION * packed:
            raise expands(path, unpacked / max(1, packed))
        width = max(8, file.schema.column(index).length or 0)
        if chunk.num_values * width > allowed:
            raise expands(path)


def folded_columns(file: Any) -> list[str]:
    """Name the texts inside lists that are to be kept folded, by their columns' whole path."""
    large = {
        index
        for _, index, chunk in _chunks(file)
        if chunk.total_uncompressed_size > _FOLDED or not _has_dictionary(chunk)
    }
    columns = [(index, file.schema.column(index)) for index in range(len(file.schema))]
    return [
        column.path
        for index, column in columns
        if index not in large
        and column.max_repetition_level
        and column.physical_type == "BYTE_ARRAY"
        and column.logical_type.type != "DECIMAL"
    ]


def rows_at_once(file: Any, raw: BinaryIO, group: int) -> int:
    """Choose how many rows of a row group are unpacked at once: a few megabytes of them."""
    meta = file.metadata.row_group(group)
    average: int = max(1, meta.total_byte_size // max(1, meta.num_rows))
    widest = max((_widest(chunk, raw) for at, _, chunk in _chunks(file) if at == group), default=0)
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // average, _WIDEST_BATCH // max(1, widest)))


def _chunks(file: Any) -> list[tuple[int, int, Any]]:
    """List all column chunks with the numbers of their row group and column."""
    meta = file.metadata
    return [
        (group, index, meta.row_group(group).column(index))
        for group in range(meta.num_row_groups)
        for index in range(meta.num_columns)
    ]


def _has_dictionary(chunk: Any) -> bool:
    """Tell whether values may be stored once for many rows."""
    return any("DICTIONARY" in encoding for encoding in chunk.encodings)


def _widest(chunk: Any, raw: BinaryIO) -> int:
    """Give the bytes that one value may take although many values share them."""
    if "DELTA_BYTE_ARRAY" in chunk.encodings:  # each begins as the one before it did
        return int(chunk.total_uncompressed_size)
    if not _has_dictionary(chunk):
        return 0
    raw.seek(chunk.dictionary_page_offset or chunk.data_page_offset)
    kind, size = _page_header(raw.read(32))
    return size if kind == _DICTIONARY_PAGE else 0


def _page_header(data: bytes) -> tuple[int, int]:
    """Read the kind and the unpacked size of a page: the first numbers of Thrift's compact form.

    Raises:
        ValueError: It is no page header.
    """
    numbers, at = [], 0
    for _ in range(2):
        if data[at : at + 1] != b"\x15":  # the next field, an i32
            raise ValueError("a page without a header")
        value, shift = 0, 0
        while True:
            at += 1
            if at >= len(data):
                raise ValueError("a page header that is cut off")
            value |= (data[at] & 0x7F) << shift
            shift += 7
            if data[at] < 0x80:
                break
        at += 1
        numbers.append(value >> 1 ^ -(value & 1))
    return numbers[0], numbers[1]
