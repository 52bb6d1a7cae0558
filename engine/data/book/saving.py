"""Write all rows of an open dataset to a new file."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from engine.data.book.names import checked_name, next_version, written_whole
from engine.data.book.store import connect
from engine.errors import DiskFullError, LoraDeckError
from engine.language import tr
from engine.text import human_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.book.book import Book

_ROOM_LEFT = 100_000_000


def save(book: Book, folder: Path, origin: str, name: str = "") -> tuple[Path, int]:
    """Write a new JSONL file and begin a new journal; give its path and how many rows it has.

    Rows that cannot be read are left out. Nothing is ever written over, and a crash leaves
    nothing half made.

    Args:
        book: Filled to its end.
        folder: The home's datasets.
        origin: The name of the file that was opened.
        name: What the new file is to be called; empty for the next version.

    Raises:
        LoraDeckError: The name is of no use, or no row is left.
        ConflictError: It is taken.
        DiskFullError: There is too little room.
    """
    name = checked_name(folder, name, ".jsonl") if name else next_version(folder, origin)
    target = folder / name
    with book.changing:
        _require_room(book, folder)
        with written_whole(target) as aside:
            rows = _write(book, aside)
            if not rows:
                raise LoraDeckError(
                    tr("Nothing to save"),
                    tr("The dataset has no row left."),
                    tr("Undo, or add a row."),
                )
        book.forget_changes()
    return target, rows


def _write(book: Book, path: Path) -> int:
    """Write the rows in order, a line each."""
    rows = 0
    with (
        contextlib.closing(connect(book.folder)) as connection,
        path.open("w", encoding="utf-8") as file,
    ):
        for (value,) in connection.execute(
            "SELECT value FROM rows INDEXED BY place JOIN contents USING (id)"
            " WHERE NOT deleted AND value IS NOT NULL ORDER BY place"
        ):
            file.write(value)
            file.write("\n")
            rows += 1
    return rows


def _require_room(book: Book, folder: Path) -> None:
    """Check that the rows fit on the disk."""
    wanted, free = book.size() + _ROOM_LEFT, shutil.disk_usage(folder).free
    if free < wanted:
        raise DiskFullError(
            tr("Too little disk space"),
            tr(
                "{wanted} are needed under {folder}, {free} are free.",
                wanted=human_bytes(wanted),
                folder=folder,
                free=human_bytes(free),
            ),
            tr("Make room, or put the home on another disk."),
        )
