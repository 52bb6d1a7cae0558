"""Refuse a file in which the very first rows are all broken: it is no dataset, or cut to pieces."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from engine.data.containers.cursor import WANTED
from engine.data.faults import FaultyRowError
from engine.data.words import shown
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.containers.source import Source

_FIRST = 10
_TITLES = {
    "broken-json": (
        "Broken {kind}",
        "Mend that place in an editor, or write the file again with a {kind} library. A {what} "
        "that ends before its row does was not written whole.",
    ),
    "not-an-object": (
        "Row is not an object",
        f'Write each row as an object: {{"instruction": "…", "output": "…"}}. {WANTED}',
    ),
    "other-shape": (
        "Ragged table",
        "Give every record as many cells as the header; a cell with the delimiter in it needs "
        "quotes.",
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
            "Dataset has no rows",
            f"{shown(path)} is {source.container} without a row.",
            "Check that it was written or copied whole.",
        )
    kind = "JSON" if "JSON" in source.container else source.container.partition(" ")[0]
    title, hint = _TITLES.get(first.code, _TITLES["broken-json"])
    words = {"kind": kind.strip(","), "what": "line" if kind == "JSON" else "file"}
    if "{kind}" in hint:
        title, hint = title.format(**words), hint.format(**words)
    raise LoraDeckError(title, f"{shown(path)}: {first.detail}.", hint)
