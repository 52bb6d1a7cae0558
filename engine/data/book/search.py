"""Find rows by a text in them: one pass over the working copy's searchable text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.book.store import ends_file, text_file

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]

_CHUNK = 4 << 20


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
    with path.open("rb") as file:
        done, rest = 0, b""
        while done < size:
            data = file.read(min(_CHUNK, size - done))
            if not data:
                break
            chunk = rest + data
            places += _in_chunk(chunk, wanted, done - len(rest))
            done += len(data)
            # A text may lie across the border; no more of it than this is before the border
            rest = chunk[-(len(wanted) - 1) :] if len(wanted) > 1 else b""
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
