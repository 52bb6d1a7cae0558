"""Look at the messages of an Arrow stream before they are unpacked.

A message is a marker, the length of its metadata, the metadata (a flatbuffer, described in Arrow's
``format/Message.fbs``) and a body of buffers. Each packed buffer begins with its unpacked length.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from engine.data.containers.refusals import damaged, expands
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import human_bytes

if TYPE_CHECKING:
    from pathlib import Path

_MARKER = 0xFFFFFFFF
_END = b"\xff\xff\xff\xff\0\0\0\0"
_DICTIONARY, _BATCH = 2, 3
"""Of the union ``MessageHeader``."""
_LARGEST_METADATA = 64_000_000
_LARGEST_BODY = 256_000_000
"""Bytes of one batch, packed or not: it is read whole."""
_FREE, _TIMES = 64_000_000, 20


def next_batch(file: BinaryIO, path: Path) -> bool:
    """Go over the messages up to and with the next record batch; tell whether there is one.

    Raises:
        LoraDeckError: It is cut off, or would take too much memory.
        struct.error: The metadata is damaged.
    """
    while True:
        marker, length = struct.unpack("<Ii", _exactly(file, 8, path) or _END)
        if marker != _MARKER or length == 0:
            return False
        if not 0 < length <= _LARGEST_METADATA:
            raise damaged(path, "Arrow", tr("a message with impossible length"))
        message = _Table.root(_exactly(file, length, path))
        kind, body = message.byte(1), message.long(3)
        start = file.tell()
        if kind in (_DICTIONARY, _BATCH):
            header = message.table(2)
            batch = header.table(1) if kind == _DICTIONARY else header
            _check(file, path, batch, start, body)
        file.seek(start + body)
        if kind == _BATCH:
            return True


def _check(file: BinaryIO, path: Path, batch: _Table, start: int, body: int) -> None:
    """Refuse a body that is too large, or gets so once it is unpacked."""
    size = path.stat().st_size
    if body < 0 or start + body > size:
        raise damaged(path, "Arrow", tr("it ends in the middle of a record batch"))
    if body > _LARGEST_BODY:
        raise LoraDeckError(
            tr("Record batch too large"),
            tr(
                "{path} has a record batch of {body}, which must be read whole.",
                path=shown(path),
                body=human_bytes(body),
            ),
            tr("Write it with smaller batches (max_chunksize), or as Parquet."),
        )
    if not batch.has(3):
        return
    unpacked = 0
    for offset, length in batch.pairs(2):
        if length < 8 or offset < 0 or offset + length > body:
            continue
        file.seek(start + offset)
        (claimed,) = struct.unpack("<q", file.read(8))
        unpacked += length if claimed < 0 else claimed
    if unpacked > min(_FREE + _TIMES * body, 2 * _LARGEST_BODY):
        raise expands(path, unpacked / max(1, body))


def _exactly(file: BinaryIO, length: int, path: Path) -> bytes:
    """Read so many bytes; none at the very end."""
    data = file.read(length)
    if data and len(data) < length:
        raise damaged(path, "Arrow", tr("it ends in the middle of a message"))
    return data


class _Table:
    """A flatbuffer's table: fields by number, each at an offset that the vtable gives."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._vtable = at - self._number("<i", at)

    @classmethod
    def root(cls, data: bytes) -> _Table:
        """Give the outermost table."""
        return cls(data, struct.unpack_from("<I", data)[0])

    def has(self, field: int) -> bool:
        """Tell whether a field is there."""
        return self._field(field) != 0

    def byte(self, field: int) -> int:
        """Read a field of one byte."""
        at = self._field(field)
        return self._number("<B", at) if at else 0

    def long(self, field: int) -> int:
        """Read a field of eight bytes."""
        at = self._field(field)
        return self._number("<q", at) if at else 0

    def table(self, field: int) -> _Table:
        """Read a field that is a table."""
        at = self._field(field)
        return _Table(self._data, at + self._number("<I", at))

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """Read a field that is a list of structs of two longs."""
        at = self._field(field)
        if not at:
            return []
        at += self._number("<I", at)
        count = self._number("<I", at)
        if count * 16 > len(self._data):
            raise struct.error(tr("a list longer than its message"))
        return [struct.unpack_from("<qq", self._data, at + 4 + 16 * one) for one in range(count)]

    def _field(self, field: int) -> int:
        """Find a field; 0 where it is not there."""
        entry = 4 + 2 * field
        if entry >= self._number("<H", self._vtable):
            return 0
        offset = self._number("<H", self._vtable + entry)
        return self._at + offset if offset else 0

    def _number(self, form: str, at: int) -> int:
        """Read a number at a place, which must lie inside."""
        if at < 0:  # would count from the end
            raise struct.error(tr("an offset before the message"))
        number: int = struct.unpack_from(form, self._data, at)[0]
        return number
