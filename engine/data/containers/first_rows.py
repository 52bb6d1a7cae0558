"""Refuse a file in which the very first rows are all broken: it is no dataset, or cut to pieces."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from engine.data.containers.cursor import WANTED
from engine.data.faults import FaultyRowError, RowTooLargeError
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.text import fault_of

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.containers.source import Source

_FIRST = 10
_HINTS = {
    "broken-json": mark(
        "Mend that place, or write the file again with a program made for its "
        "format; one that ends before its row does was not written whole."
    ),
    "not-an-object": mark('Write each row as an object: {"instruction": "…", "output": "…"}.'),
    "other-shape": mark(
        "Give every record as many cells as the header has; a cell with the "
        "delimiter in it needs quotes."
    ),
}


def check_first_rows(source: Source, path: Path) -> None:
    """Read up to ten rows, until one can be read.

    Raises:
        LoraDeckError: None of them can, or there is none.
    """
    rows = source.rows()
    first: FaultyRowError | None = None
    for row in islice(rows, _FIRST):
        if not isinstance(row, FaultyRowError):
            rows.close()  # type: ignore[attr-defined]
            return
        first = first or row
    if first is None:
        raise LoraDeckError(
            tr("Dataset has no rows"),
            tr(
                "{path} is {container} without a row.", path=shown(path), container=source.container
            ),
            tr("Check that it was written or copied whole."),
        )
    hint = tr(_HINTS.get(first.code, _HINTS["broken-json"]))
    if first.code == "not-an-object":
        hint += " " + tr(WANTED)
    raise LoraDeckError(_title(first, source.container), fault_of(shown(path), first.detail), hint)


def _title(fault: FaultyRowError, container: str) -> str:
    """Say in a few words what is wrong with every row."""
    if fault.code == "not-an-object":
        return tr("Row is not an object")
    if fault.code == "other-shape":
        return tr("Ragged table")
    if isinstance(fault, RowTooLargeError):
        return tr("Row too large")
    return tr("Broken JSON") if "JSON" in container else tr("Rows cannot be read")
