"""Which rows of a working copy a search or a finding's code leaves, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.book.look import folded
from engine.data.book.search import rows_with
from engine.data.book.store import FIRST_INSERTED, GAP

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from engine.data.book.search import Numbers


def matching(connection: sqlite3.Connection, folder: Path, search: str, code: str) -> Numbers:
    """Give the ids of the rows that match both, in the rows' order; one of the two is set."""
    found = _marked(connection, code) if code else None
    if search:
        said = _saying(connection, folder, folded(search))
        found = said if found is None else np.intersect1d(found, said, assume_unique=True)
    assert found is not None  # noqa: S101 - the caller's part
    return _in_order(connection, found)


def _marked(connection: sqlite3.Connection, code: str) -> Numbers:
    """Give the rows that bear a code, or with ``*`` any."""
    if code == "*":
        rows = connection.execute("SELECT DISTINCT row FROM marks")
    else:
        rows = connection.execute("SELECT row FROM marks WHERE code = ?", (code,))
    return _numbers(rows)


def _saying(connection: sqlite3.Connection, folder: Path, wanted: bytes) -> Numbers:
    """Give the rows with a text: those of the file as it was, but for what has changed since."""
    changed = _numbers(
        connection.execute(
            "SELECT id FROM texts UNION SELECT id FROM rows WHERE deleted AND NOT inserted"
        )
    )
    now = _numbers(
        connection.execute(
            "SELECT id FROM texts JOIN rows USING (id) WHERE NOT deleted AND instr(text, ?)",
            (wanted,),
        )
    )
    # The text may be ahead of the tables while they are filled
    (most,) = connection.execute("SELECT max(id) FROM rows WHERE NOT inserted").fetchone()
    before = rows_with(folder, wanted)
    before = before[before <= (most or 0)]
    return np.union1d(np.setdiff1d(before, changed, assume_unique=True), now)


def _in_order(connection: sqlite3.Connection, found: Numbers) -> Numbers:
    """Sort by place: that of the file's rows follows from their ids."""
    found = np.sort(found)
    inserted = found >= FIRST_INSERTED
    if not inserted.any():
        return found
    places = dict(connection.execute("SELECT id, place FROM rows WHERE NOT deleted AND inserted"))
    keys = np.where(inserted, 0, found * GAP)
    keys[inserted] = [places[int(row)] for row in found[inserted]]
    return found[np.argsort(keys, kind="stable")]


def _numbers(rows: sqlite3.Cursor) -> Numbers:
    """Collect one column."""
    return np.fromiter((row for (row,) in rows), dtype=np.int64)
