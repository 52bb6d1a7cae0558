"""Find rows by a text in them: one pass over the working copy's searchable text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.book.store import ends_file, text_file

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]

_CHUNK = 1 << 20


def rows_with(folder: Path, wanted: bytes) -> Numbers:
    """Give the numbers of the file's rows with this text, ascending, counted from 1.

    Args:
        folder: Of the working copy.
        wanted: Folded as the searchable text is; not empty.
    """
    ends = np.fromfile(ends_file(folder), dtype="<i8")
    if not len(ends):
        return np.empty(0, dtype=np.int64)
    places = _places(text_file(folder), wanted, int(ends[-1]))
    found = np.searchsorted(ends, np.asarray(places, dtype=np.int64), side="right") + 1
    return np.unique(found).astype(np.int64)


def _places(path: Path, wanted: bytes, size: int) -> list[int]:
    """Find where the text stands, once in each line at most."""
    places: list[int] = []
    overlap = len(wanted) - 1  # a text may lie across the border of two pieces
    with path.open("rb", buffering=0) as file:
        for start in range(0, size, _CHUNK):
            file.seek(start)
            chunk = file.read(min(_CHUNK + overlap, size - start))
            places += _in_chunk(chunk, wanted, start)
    return places


def _in_chunk(chunk: bytes, wanted: bytes, start: int) -> list[int]:
    """Find the text in one piece, which begins at ``start`` in the file."""
    places = []
    at = chunk.find(wanted)
    while at >= 0:
        places.append(start + at)
        line_end = chunk.find(b"\n", at)
        if line_end < 0:
            break
        at = chunk.find(wanted, line_end)
    return places
