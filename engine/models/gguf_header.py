"""The metadata at the head of a GGUF file, read in a fraction of a second.

``gguf.GGUFReader`` makes an object of each of a vocabulary's tokens, which takes seconds; a
listing must not. The file is not trusted: no length in it is believed beyond the file's end.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import fault_of

if TYPE_CHECKING:
    from pathlib import Path

_SCALARS = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True))
_STRING, _ARRAY = 8, 9
_MOST_KEPT = 4096  # elements; longer arrays are vocabularies, of which only the length counts
_MOST_READ = 8_000_000  # values; the largest vocabularies with their merges have a quarter of it
_MOST_TEXT = 64_000_000  # bytes of all strings that are kept


@dataclass(frozen=True)
class GgufHeader:
    """What a GGUF file says about its model."""

    file: Path
    metadata: dict[str, Any]
    """Long arrays and arrays of strings are given as their length."""
    tensors: dict[str, int]
    """Elements of each tensor."""
    data_at: int
    """Where the weights begin, in bytes."""
    last: tuple[int, int, int]
    """Offset among the weights, type and elements of the tensor that lies last."""

    @property
    def architecture(self) -> str:
        """llama.cpp's name of it, e.g. ``llama``."""
        return str(self.metadata.get("general.architecture", "unknown"))

    @property
    def parameters(self) -> int:
        """All weights in the file."""
        return sum(self.tensors.values())

    @property
    def vocabulary(self) -> int:
        """The number of tokens; 0 where the file has none."""
        count = self.metadata.get("tokenizer.ggml.tokens", 0)
        return count if isinstance(count, int) else 0

    def number(self, name: str) -> int:
        """Give a size of the architecture; of one given by layer the largest; 0 if missing."""
        value = self.metadata.get(f"{self.architecture}.{name}", 0)
        if isinstance(value, list):
            value = max(value, default=0)
        return int(value) if isinstance(value, int | float) and math.isfinite(value) else 0


def read_header(file: Path) -> GgufHeader:
    """Read a GGUF file's metadata and table of tensors; the weights are not touched.

    Raises:
        LoraDeckError: It cannot be read, is no GGUF file, or ends within its header.
    """
    try:
        with (
            file.open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            cursor = _Cursor(data)
            count, pairs = cursor.start()
            metadata = dict(cursor.pair() for _ in range(pairs))
            tensors = [cursor.tensor() for _ in range(count)]
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from error
    except (ValueError, struct.error, OverflowError) as error:
        raise _unreadable(file, str(error)) from error
    return GgufHeader(
        file,
        metadata,
        {name: elements for name, _, _, elements in tensors},
        data_at=_aligned(cursor.at, metadata.get("general.alignment")),
        last=max((tensor[1:] for tensor in tensors), default=(0, 0, 0)),
    )


def _aligned(at: int, alignment: object) -> int:
    """Round a place up to the file's alignment, by default 32 bytes."""
    step = alignment if isinstance(alignment, int) and alignment > 0 else 32
    return -(-at // step) * step


class _Cursor:
    """A place in the header that moves on with each value read."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0
        self.read = 0
        self.kept = 0

    def take(self, layout: str) -> Any:
        """Read one little-endian number."""
        begin = self.at
        self.skip(struct.calcsize("<" + layout))
        return struct.unpack_from("<" + layout, self.data, begin)[0]

    def skip(self, size: int) -> None:
        """Move on, but not beyond the file's end."""
        self.at += size
        self.read += 1
        if self.at > len(self.data):
            raise ValueError(tr("it ends within its header"))
        if self.read > _MOST_READ:
            raise ValueError(tr("its header has no end"))

    def start(self) -> tuple[int, int]:
        """Check the magic and version; give the numbers of tensors and of metadata pairs."""
        if self.data[:4] != b"GGUF":
            raise ValueError(tr("it does not begin like a GGUF file"))
        self.skip(4)
        if (version := self.take("I")) not in (2, 3):
            raise ValueError(tr("it is GGUF version {version}; 2 and 3 are known", version=version))
        return self.take("Q"), self.take("Q")

    def text(self) -> str:
        """Read one string."""
        size, begin = self.take("Q"), self.at
        self.skip(size)
        self.kept += size
        if self.kept > _MOST_TEXT:
            raise ValueError(tr("its header has a text of {size} bytes", size=size))
        return self.data[begin : self.at].decode("utf-8", errors="replace")

    def pair(self) -> tuple[str, Any]:
        """Read one key with its value."""
        return self.text(), self.value(self.take("I"))

    def value(self, kind: int) -> Any:
        """Read one value of a kind."""
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self.array(self.take("I"), self.take("Q"))
        if kind not in _SCALARS:
            raise ValueError(tr("its metadata has a value of the unknown type {kind}", kind=kind))
        return self.take(_SCALARS[kind])

    def array(self, kind: int, count: int) -> int | list[Any]:
        """Read a short array of numbers; pass over any other and give its length."""
        if kind == _STRING:
            for _ in range(count):
                self.skip(self.take("Q"))
            return count
        if kind not in _SCALARS:
            raise ValueError(tr("its metadata has an array of the unknown type {kind}", kind=kind))
        if count <= _MOST_KEPT:
            return [self.take(_SCALARS[kind]) for _ in range(count)]
        self.skip(count * struct.calcsize("<" + _SCALARS[kind]))
        return count

    def tensor(self) -> tuple[str, int, int, int]:
        """Read one entry of the tensor table: its name, offset, type and number of elements."""
        name = self.text()
        if (dimensions := self.take("I")) > 8:
            raise ValueError(
                tr(
                    "its tensor {name!r} has {dimensions} dimensions",
                    name=name[:80],
                    dimensions=dimensions,
                )
            )
        elements = math.prod(self.take("Q") for _ in range(dimensions))
        kind = self.take("I")
        return name, self.take("Q"), kind, elements


def _unreadable(file: Path, reason: str) -> LoraDeckError:
    """Put a fault of the file into words."""
    return LoraDeckError(
        tr("GGUF file not readable"), fault_of(file, reason), tr("Fetch the file again, whole.")
    )
