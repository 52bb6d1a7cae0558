"""What a Parquet file's columns may become once they are unpacked, by what it says of itself.

A value that many rows share is stored once, in a column chunk's dictionary page. So few rows are
unpacked at once that each of them could be the whole dictionary. Inside lists one row may have any
number of values: there Arrow keeps them as they are stored (a *folded* column), so that the row can
be measured before it is made. But that keeps all different values of a row group: only small
chunks are read in this way.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.data.containers.refusals import expands
from engine.data.containers.stream import EXPANSION, FREE_EXPANSION
from engine.data.containers.thrift import Compact
from engine.language import tr

if TYPE_CHECKING:
    from pathlib import Path

_FOLDED = 48_000_000
"""Bytes of the largest chunk that is kept folded."""
_BATCH_BYTES = 4_000_000
_WIDEST_BATCH = 64_000_000
_BATCH_ROWS = 512
_CHUNK_EXPANSION = 20
"""Times a column's pages may exceed what they are packed to: texts reach ten at most."""
_LARGEST_FOOTER = 64_000_000
_PLAIN_DICTIONARY, _DELTA_BYTE_ARRAY, _RLE_DICTIONARY = 2, 7, 8
_DICTIONARY_PAGE = 2


@dataclass(frozen=True)
class Chunk:
    """A column of a row group."""

    encodings: tuple[int, ...]
    values: int
    """Inside lists more than there are rows."""
    unpacked: int
    packed: int
    first_page: int
    """Where its first page begins in the file."""

    @property
    def has_dictionary(self) -> bool:
        """Tell whether values may be stored once for many rows."""
        return not {_PLAIN_DICTIONARY, _RLE_DICTIONARY}.isdisjoint(self.encodings)


@dataclass(frozen=True)
class Group:
    """A row group."""

    rows: int
    size: int
    chunks: tuple[Chunk, ...]


def row_groups(raw: BinaryIO) -> list[Group]:
    """Read what the end of a Parquet file says of its row groups.

    Raises:
        ValueError: It is damaged.
    """
    end = raw.seek(-8, os.SEEK_END)
    tail = raw.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or length > min(end, _LARGEST_FOOTER):
        raise ValueError(tr("its end is missing or damaged"))
    raw.seek(end - length)
    meta = Compact(raw.read(length)).struct()
    try:
        return [Group(+group[3], +group[2], tuple(map(_chunk, group[1]))) for group in meta[4]]
    except (KeyError, TypeError, AttributeError):
        raise ValueError(tr("the description of its columns is damaged")) from None


def _chunk(chunk: dict[int, Any]) -> Chunk:
    """Read what a file says of a column chunk; the numbers are those of ``parquet.thrift``."""
    meta = chunk[3]
    return Chunk(tuple(meta[2]), +meta[5], +meta[6], +meta[7], +(meta.get(11) or meta[9]))


def check_columns(file: Any, groups: list[Group], path: Path, size: int) -> None:
    """Refuse a ``ParquetFile`` whose pages expand beyond all reason.

    Raises:
        LoraDeckError: Names the file and how far it expands.
        ValueError: It contradicts itself.
    """
    if any(len(group.chunks) != len(file.schema) for group in groups):
        raise ValueError(tr("a row group without all columns"))
    allowed = FREE_EXPANSION + EXPANSION * size
    if file.metadata.num_rows * 8 > allowed:
        raise expands(path)
    for group in groups:
        for index, chunk in enumerate(group.chunks):
            if chunk.unpacked > FREE_EXPANSION + _CHUNK_EXPANSION * max(0, chunk.packed):
                raise expands(path, chunk.unpacked / max(1, chunk.packed))
            width = max(8, file.schema.column(index).length or 0)
            if chunk.values * width > allowed:
                raise expands(path)


def folded_columns(file: Any, groups: list[Group]) -> list[str]:
    """Name the texts inside lists that are to be kept folded, by their columns' whole path."""
    columns = [file.schema.column(index) for index in range(len(file.schema))]
    return [
        column.path
        for index, column in enumerate(columns)
        if column.max_repetition_level
        and column.physical_type == "BYTE_ARRAY"
        and column.logical_type.type != "DECIMAL"
        and all(
            group.chunks[index].has_dictionary and group.chunks[index].unpacked <= _FOLDED
            for group in groups
        )
    ]


def rows_at_once(group: Group, raw: BinaryIO) -> int:
    """Choose how many rows of a row group are unpacked at once: a few megabytes of them."""
    average = max(1, group.size // max(1, group.rows))
    widest = max((_widest(chunk, raw) for chunk in group.chunks), default=0)
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // average, _WIDEST_BATCH // max(1, widest)))


def _widest(chunk: Chunk, raw: BinaryIO) -> int:
    """Give the bytes that one value may take although many values share them."""
    if _DELTA_BYTE_ARRAY in chunk.encodings:  # each begins as the one before it did
        return chunk.unpacked
    if not chunk.has_dictionary:
        return 0
    raw.seek(chunk.first_page)
    header = Compact(raw.read(64)).struct(fields=2)
    return int(header.get(2, 0)) if header.get(1) == _DICTIONARY_PAGE else 0
