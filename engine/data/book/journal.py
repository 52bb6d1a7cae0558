"""Changes of a working copy, each with what it takes to undo it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.language import mark, tr

if TYPE_CHECKING:
    import sqlite3

Kind = Literal["edit", "insertion", "deletion"]
_LABELS: dict[Kind, str] = {
    "edit": mark("edit of row {number:,}"),
    "insertion": mark("insertion of row {number:,}"),
    "deletion": mark("deletion of row {number:,}"),
}


@dataclass(frozen=True)
class Change:
    """One change in the journal."""

    number: int
    kind: Kind
    row: int


def record(connection: sqlite3.Connection, kind: Kind, row: int, number: int) -> None:
    """Keep a row as it is before a change; ``number`` is its place, for the user."""
    connection.execute(
        "INSERT INTO journal (kind, row, label, value, codes, fault, summary, edited)"
        " SELECT ?, id, ?, value, codes, fault, summary, edited"
        " FROM rows JOIN contents USING (id) WHERE id = ?",
        (kind, tr(_LABELS[kind], number=number), row),
    )


def last(connection: sqlite3.Connection) -> tuple[int, str]:
    """Count the changes, and name the last."""
    (count,) = connection.execute("SELECT count(*) FROM journal").fetchone()
    found = connection.execute("SELECT label FROM journal ORDER BY number DESC LIMIT 1").fetchone()
    return count, found[0] if found else ""


def last_change(connection: sqlite3.Connection) -> Change | None:
    """Give the change that is to be taken back first."""
    found = connection.execute(
        "SELECT number, kind, row FROM journal ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return Change(*found) if found else None


def take_back(connection: sqlite3.Connection, change: Change) -> None:
    """Restore what the last change altered; marks and searchable text are the caller's part."""
    if change.kind == "insertion":
        connection.execute("DELETE FROM rows WHERE id = ?", (change.row,))
        connection.execute("DELETE FROM contents WHERE id = ?", (change.row,))
    elif change.kind == "deletion":
        connection.execute("UPDATE rows SET deleted = 0 WHERE id = ?", (change.row,))
    else:
        connection.execute(
            "UPDATE rows SET (codes, fault, summary, edited) ="
            " (SELECT codes, fault, summary, edited FROM journal WHERE number = ?) WHERE id = ?",
            (change.number, change.row),
        )
        connection.execute(
            "UPDATE contents SET value = (SELECT value FROM journal WHERE number = ?) WHERE id = ?",
            (change.number, change.row),
        )
    connection.execute("DELETE FROM journal WHERE number = ?", (change.number,))


def forget(connection: sqlite3.Connection) -> None:
    """Empty the journal once everything is saved."""
    connection.execute("DELETE FROM journal")
    connection.execute("UPDATE rows SET edited = 0 WHERE edited")
