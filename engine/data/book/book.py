"""A dataset that is open: its rows page by page, changed, and changed back."""

from __future__ import annotations

import json
import shutil
import threading
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engine.data.book import journal
from engine.data.book.look import checked, look, read_value
from engine.data.book.places import number_at, place_behind
from engine.data.book.store import FIRST_INSERTED, GAP, connect
from engine.data.normalize import normalizer
from engine.data.types import BookPage, BookRow
from engine.errors import ConflictError, NotFoundError
from engine.language import tr

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from engine.data.book.search import Numbers
    from engine.data.types import Shape

_PAGE_CHARACTERS = 8_000_000
_VIEWS = 8


class Book:
    """The working copy in a folder; any thread may use it.

    Args:
        folder: Made by ``store.create``, filled by now or still being filled.
        shape: How its rows are read.
    """

    def __init__(self, folder: Path, shape: Shape) -> None:
        self.folder = folder
        self.shape = shape
        self._normalize = normalizer(shape)
        self.changing = threading.RLock()
        """Held while rows change, and while all of them are saved."""
        self._reading = threading.Lock()
        self._reader, self._writer = connect(folder), connect(folder)
        self._views: OrderedDict[tuple[str, str, int, int], Numbers] = OrderedDict()
        self._revision = 0

    # Looking

    def count(self) -> int:
        """Count the rows."""
        with self._reading:
            return self._count()

    def changes(self) -> tuple[int, str]:
        """Count the changes that can be undone, and name the last."""
        with self._reading:
            return journal.last(self._reader)

    def codes(self) -> dict[str, int]:
        """Count the rows that bear each code."""
        with self._reading:
            return dict(
                self._reader.execute(
                    "SELECT code, count(*) FROM marks GROUP BY code ORDER BY 2 DESC, 1"
                )
            )

    def unreadable(self) -> int:
        """Count the rows that have no value."""
        with self._reading:
            return int(
                self._reader.execute(
                    "SELECT count(*) FROM contents JOIN rows USING (id)"
                    " WHERE value IS NULL AND NOT deleted"
                ).fetchone()[0]
            )

    def page(self, offset: int, limit: int, search: str = "", code: str = "") -> BookPage:
        """Give some rows in order; fewer than ``limit`` where they are very large.

        Args:
            offset: How many matching rows to skip.
            limit: The most to give.
            search: Only rows with this text in a value; case does not matter.
            code: Only rows that bear this finding; ``*`` for any.
        """
        with self._reading:
            if search.strip() or code:
                view = self._view(search, code)
                total, ids = len(view), [int(row) for row in view[offset : offset + limit]]
            else:
                total, ids = self._count(), self._ids(offset, limit)
            return BookPage(offset=offset, total=total, rows=tuple(self._rows(ids)))

    def row(self, row: int) -> BookRow:
        """Give one row by its id.

        Raises:
            NotFoundError: There is none, or it was deleted.
        """
        with self._reading:
            found = next(self._rows([row]), None)
        if found is None:
            raise _no_row()
        return found

    def size(self) -> int:
        """Give the bytes that the working copy's tables take: more than the rows as text."""
        with self._reading:
            (pages,) = self._reader.execute("PRAGMA page_count").fetchone()
            (size,) = self._reader.execute("PRAGMA page_size").fetchone()
            return int(pages * size)

    # Changing

    def change(self, row: int, value: Any) -> BookRow:
        """Give a row another value.

        Raises:
            NotFoundError: There is no such row.
            LoraDeckError: The value is no JSON object.
        """
        value = checked(value)
        with self._change() as writer:
            number = self._number(writer, row)
            found = look(value, number, self._normalize)
            journal.record(writer, "edit", row, number)
            _unmark(writer, row)
            writer.execute(
                "UPDATE rows SET codes = ?, fault = ?, summary = ?, edited = 1 WHERE id = ?",
                (" ".join(found.codes), found.fault, found.summary, row),
            )
            writer.execute("UPDATE contents SET value = ? WHERE id = ?", (found.value, row))
            _index(writer, row, found.codes, found.text)
        return self.row(row)

    def insert(self, value: Any, after: int | None) -> BookRow:
        """Put a new row behind another, or first.

        Raises:
            NotFoundError: There is no such row.
            LoraDeckError: The value is no JSON object.
        """
        value = checked(value)
        with self._change() as writer:
            if after is not None:
                self._number(writer, after)
            place = place_behind(writer, after)
            (last,) = writer.execute("SELECT max(id) FROM rows").fetchone()
            row = max((last or 0) + 1, FIRST_INSERTED)
            number = number_at(writer, place) + 1
            found = look(value, number, self._normalize)
            writer.execute(
                "INSERT INTO rows (id, place, inserted, edited, codes, fault, summary)"
                " VALUES (?, ?, 1, 1, ?, ?, ?)",
                (row, place, " ".join(found.codes), found.fault, found.summary),
            )
            writer.execute("INSERT INTO contents VALUES (?, ?)", (row, found.value))
            journal.record(writer, "insertion", row, number)
            _index(writer, row, found.codes, found.text)
        return self.row(row)

    def remove(self, row: int) -> None:
        """Delete a row.

        Raises:
            NotFoundError: There is no such row.
        """
        with self._change() as writer:
            journal.record(writer, "deletion", row, self._number(writer, row))
            _unmark(writer, row)
            writer.execute("UPDATE rows SET deleted = 1 WHERE id = ?", (row,))

    def undo(self) -> None:
        """Take back the last change: place and value are as before.

        Raises:
            ConflictError: There is none.
        """
        with self._change() as writer:
            change = journal.last_change(writer)
            if change is None:
                raise ConflictError(
                    tr("Nothing to undo"),
                    tr("No change was made since the dataset was opened or saved."),
                )
            _unmark(writer, change.row)
            journal.take_back(writer, change)
            if change.kind == "insertion":
                writer.execute("DELETE FROM texts WHERE id = ?", (change.row,))
            else:
                self._index_again(writer, change.row)

    def forget_changes(self) -> None:
        """Begin a new journal, once all is saved."""
        with self._change() as writer:
            journal.forget(writer)

    def close(self) -> None:
        """Remove the working copy."""
        with self.changing, self._reading:
            self._reader.close()
            self._writer.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    # The tables

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Write whole or not at all, one change at a time."""
        with self.changing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")
            self._revision += 1

    def _count(self) -> int:
        """Count the rows by the file's last number, and what came and went since."""
        (last,) = self._reader.execute("SELECT max(id) FROM rows WHERE NOT inserted").fetchone()
        return number_at(self._reader, ((last or 0) + 1) * GAP - 1)

    def _ids(self, offset: int, limit: int) -> list[int]:
        """Give the ids of some rows in order."""
        found = self._reader.execute(
            "SELECT id FROM rows INDEXED BY place WHERE NOT deleted"
            " ORDER BY place LIMIT ? OFFSET ?",
            (limit, offset),
        )
        return [row for (row,) in found]

    def _view(self, search: str, code: str) -> Numbers:
        """Give the matching ids; the last few answers are kept."""
        # Only a search needs numpy
        from engine.data.book.views import matching

        (last,) = self._reader.execute("SELECT count(*) FROM rows").fetchone()
        key = (search if search.strip() else "", code, self._revision, last)
        if key not in self._views:
            self._views[key] = matching(self._reader, self.folder, key[0], code)
            if len(self._views) > _VIEWS:
                self._views.popitem(last=False)
        self._views.move_to_end(key)
        return self._views[key]

    def _rows(self, ids: Sequence[int]) -> Iterator[BookRow]:
        """Read rows, up to a size; the first one always."""
        size = 0
        for row in ids:
            found = self._reader.execute(
                "SELECT id, place, value, codes, summary, fault, edited"
                " FROM rows JOIN contents USING (id) WHERE id = ? AND NOT deleted",
                (row,),
            ).fetchone()
            if found is None:
                continue
            size += len(found[2] or "")
            if size > _PAGE_CHARACTERS and size > len(found[2] or ""):
                return
            yield _as_row(found, number_at(self._reader, found[1]))

    def _number(self, writer: sqlite3.Connection, row: int) -> int:
        """Give a row's number, and refuse one that is not there."""
        found = writer.execute(
            "SELECT place FROM rows WHERE id = ? AND NOT deleted", (row,)
        ).fetchone()
        if found is None:
            raise _no_row()
        return number_at(writer, found[0])

    def _index_again(self, writer: sqlite3.Connection, row: int) -> None:
        """Note the codes and text of a row that is as it was before."""
        value, codes = writer.execute(
            "SELECT value, codes FROM rows JOIN contents USING (id) WHERE id = ?", (row,)
        ).fetchone()
        text = b"" if value is None else look(json.loads(value), 0, self._normalize).text
        _index(writer, row, codes.split(), text)


def _index(writer: sqlite3.Connection, row: int, codes: Sequence[str], text: bytes) -> None:
    """Note a row's codes and text, so that it is found by them."""
    writer.executemany("INSERT INTO marks VALUES (?, ?)", [(code, row) for code in codes])
    writer.execute("INSERT OR REPLACE INTO texts VALUES (?, ?)", (row, text))


def _unmark(writer: sqlite3.Connection, row: int) -> None:
    """Let a row no longer be found by the codes that it bears."""
    (codes,) = writer.execute("SELECT codes FROM rows WHERE id = ?", (row,)).fetchone()
    writer.executemany(
        "DELETE FROM marks WHERE code = ? AND row = ?", [(code, row) for code in codes.split()]
    )


def _as_row(found: tuple[Any, ...], number: int) -> BookRow:
    """Build a row from its fields."""
    row, _, value, codes, summary, fault, edited = found
    return BookRow(
        id=row,
        number=number,
        value=read_value(value),
        codes=tuple(codes.split()),
        summary=summary,
        fault=fault,
        edited=bool(edited),
    )


def _no_row() -> NotFoundError:
    """Say that a row is not there."""
    return NotFoundError(
        tr("Row not found"),
        tr("There is no such row in the open dataset."),
        tr("It may have been deleted."),
    )
