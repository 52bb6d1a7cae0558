"""Open a dataset, whatever container it lies in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from engine.data.read import read_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.data.faults import FaultyRowError


class Source(Protocol):
    """A dataset that can be read row by row, from the beginning each time."""

    @property
    def container(self) -> str:
        """What it is, for people: ``JSONL``, ``CSV in GB18030``, ``JSON, gzip``."""

    @property
    def size_bytes(self) -> int:
        """Bytes on the disk."""

    def rows(self) -> Iterator[dict[str, Any] | FaultyRowError]:
        """Give each row in order, as JSON values; a row that cannot be read as its fault.

        Raises:
            LoraDeckError: The file cannot be read any further; names the place.
        """

    def share(self) -> float | None:
        """Tell how far the present reading is, from 0 to 1; ``None`` where that is unknown."""


class _WholeFile:
    """A JSON or JSONL file, read at once."""

    def __init__(self, path: Path) -> None:
        self._dataset = read_dataset(path)
        self.container = "JSON"
        self.size_bytes = self._dataset.size_bytes

    def rows(self) -> Iterator[dict[str, Any] | FaultyRowError]:
        """Give each row."""
        yield from self._dataset.rows

    def share(self) -> float | None:
        """Everything is read."""
        return 1.0


def open_source(path: Path) -> Source:
    """Look what a path holds, and get ready to read it.

    Raises:
        NotFoundError: There is no such file.
        LoraDeckError: It cannot be read, is empty, or is of no known kind.
    """
    return _WholeFile(path)


def content_hash(path: Path) -> str:
    """Give the SHA-256 of what lies at a path."""
    return read_dataset(path).sha256
