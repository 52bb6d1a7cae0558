"""Open a dataset, whatever container it lies in."""

from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING, Any, Protocol

from engine.data.containers.file import FileSource
from engine.data.containers.first_rows import check_first_rows
from engine.data.containers.folder import FolderSource, data_files
from engine.data.containers.refusals import reading, status

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

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that rows are read from, in order; one, unless it is a folder."""

    @property
    def other_splits(self) -> tuple[str, ...]:
        """What lies beside the rows that are read: ``("test", "validation")``."""

    def rows(self) -> Iterator[dict[str, Any] | FaultyRowError]:
        """Give each row in order, as JSON values; a row that cannot be read as its fault.

        Raises:
            LoraDeckError: The file cannot be read any further; names the place.
        """

    def share(self) -> float | None:
        """Tell how far the present reading is, from 0 to 1; ``None`` where that is unknown."""

    def file_of(self, row: int) -> Path:
        """Name the file that a row came from, counted from 1, once it has been read."""


def open_source(path: Path) -> Source:
    """Look what a path holds, read its first rows, and get ready to read them all.

    Raises:
        NotFoundError: There is no such file.
        LoraDeckError: It cannot be read, is empty, is of no known kind, or its first rows are
            all broken.
    """
    found = status(path)
    is_folder = stat.S_ISDIR(found.st_mode)
    source: Source = FolderSource(path) if is_folder else FileSource(path)
    check_first_rows(source, path)
    return source


def content_hash(path: Path) -> str:
    """Give the SHA-256 of a file's bytes; of a folder, of its data files' names and bytes.

    Raises:
        LoraDeckError: It cannot be read, or holds nothing.
    """
    if not stat.S_ISDIR(status(path).st_mode):
        return _file_hash(path).hexdigest()
    whole = hashlib.sha256()
    for file in data_files(path).files:
        name = file.relative_to(path).as_posix()
        whole.update(f"{_file_hash(file).hexdigest()}  {name}\n".encode(errors="surrogateescape"))
    return whole.hexdigest()


def _file_hash(path: Path) -> hashlib._Hash:
    """Hash a file without holding it."""
    status(path)
    with reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")
