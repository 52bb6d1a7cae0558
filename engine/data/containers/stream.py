"""Read a file's bytes in bounded chunks, unpacked, with an eye on how far they expand."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO, Literal, Protocol

from engine.data.containers.refusals import damaged, expands, reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Packing = Literal["", "gzip", "zstd"]
CHUNK = 1 << 18
FREE_EXPANSION = 64_000_000
"""Bytes that any file may expand to, however small it is."""
EXPANSION = 250
"""Times that larger ones may exceed what was read; texts are packed to a third or a tenth."""
_MAGIC: dict[bytes, Packing] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


class Expansion:
    """Compares what has come out of a file with what was read of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._out = 0

    def add(self, out: int, read: int) -> None:
        """Count ``out`` further bytes, with ``read`` bytes of the file read in all.

        Raises:
            LoraDeckError: It expands beyond all reason.
        """
        self._out += out
        if self._out > FREE_EXPANSION + EXPANSION * read:
            raise expands(self._path, self._out / max(1, read))


@dataclass
class Progress:
    """How far a reading is, in bytes on the disk."""

    total: int
    done: int = 0

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return min(1.0, self.done / max(1, self.total))


class _Readable(Protocol):
    """What gives bytes; at most ``size`` at a time."""

    def read(self, size: int, /) -> bytes:
        """Give the next bytes; none at the end."""


def packing_of(path: Path) -> Packing:
    """Tell by its first bytes how a file is packed."""
    with reading(path), path.open("rb") as file:
        head = file.read(4)
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")


def chunks(path: Path, packing: Packing, progress: Progress | None = None) -> Iterator[bytes]:
    """Give the unpacked bytes of a file, some 256 kB at a time.

    Raises:
        LoraDeckError: It cannot be read, is cut off or damaged, or expands beyond all reason.
    """
    expansion = Expansion(path)
    with reading(path), path.open("rb") as file, _unpacking(path, packing):
        source = _unpacked(file, packing)
        while chunk := source.read(CHUNK):
            done = file.tell()
            if progress:
                progress.done = done
            if packing:
                expansion.add(len(chunk), done)
            yield chunk


def unpack(path: Path, packing: Packing) -> IO[bytes]:
    """Unpack a file into one that has no name for long: tables are not read front to back.

    Raises:
        LoraDeckError: As ``chunks``.
    """
    plain = tempfile.NamedTemporaryFile(prefix="loradeck-")  # noqa: SIM115 - the caller keeps it
    for chunk in chunks(path, packing):
        plain.write(chunk)
    plain.flush()
    return plain


def _unpacked(file: BinaryIO, packing: Packing) -> _Readable:
    """Put the right reader around a file."""
    if packing == "gzip":
        return gzip.GzipFile(fileobj=file)
    if packing == "zstd":
        import pyarrow as pa

        unpacked: _Readable = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")
        return unpacked
    return file


@contextmanager
def _unpacking(path: Path, packing: Packing) -> Iterator[None]:
    """Turn what the unpackers raise into words; errors of the disk carry a number."""
    try:
        yield
    except (EOFError, zlib.error) as error:
        raise damaged(path, packing, error) from None
    except OSError as error:
        if packing and error.errno is None:
            raise damaged(path, packing, error) from None
        raise
