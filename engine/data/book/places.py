"""The order of rows: keys with gaps between them, and the numbers that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.book.store import GAP

if TYPE_CHECKING:
    import sqlite3

_STEP = 4096


def number_at(connection: sqlite3.Connection, place: int) -> int:
    """Count the rows up to a place, without walking over those of the file.

    Of the file's rows as many are there as their numbers say, less those deleted.
    """
    gone, inserted = connection.execute(
        "SELECT"
        " (SELECT count(*) FROM rows WHERE deleted AND NOT inserted AND place <= :place),"
        " (SELECT count(*) FROM rows WHERE NOT deleted AND inserted AND place <= :place)",
        {"place": place},
    ).fetchone()
    return int(place // GAP - gone + inserted)


def place_behind(connection: sqlite3.Connection, row: int | None) -> int:
    """Give a free key behind a row, or before all others."""
    place = _place_of(connection, row)
    if _following(connection, place) - place < 2:
        _spread(connection, place // GAP)
        place = _place_of(connection, row)
    # A small step where there is room: rows are often put in one behind the other
    return place + min((_following(connection, place) - place) // 2, _STEP)


def _place_of(connection: sqlite3.Connection, row: int | None) -> int:
    """Look a row's key up; before the first there is 0."""
    if row is None:
        return 0
    (place,) = connection.execute("SELECT place FROM rows WHERE id = ?", (row,)).fetchone()
    return int(place)


def _following(connection: sqlite3.Connection, place: int) -> int:
    """Give the next row's key, or that of a row which the file may still add."""
    (found,) = connection.execute(
        "SELECT min(place) FROM rows WHERE place > ?", (place,)
    ).fetchone()
    after = (place // GAP + 1) * GAP
    return after if found is None else min(int(found), after)


def _spread(connection: sqlite3.Connection, number: int) -> None:
    """Put the rows that were inserted behind one of the file's at even distances."""
    low = number * GAP
    rows = connection.execute(
        "SELECT id FROM rows WHERE place > ? AND place < ? ORDER BY place", (low, low + GAP)
    ).fetchall()
    # By way of negative keys, as no two rows may have the same one meanwhile
    for sign in (-1, 1):
        connection.executemany(
            "UPDATE rows SET place = ? WHERE id = ?",
            [
                (sign * (low + index * GAP // (len(rows) + 1)), row)
                for index, (row,) in enumerate(rows, start=1)
            ],
        )
