"""Where a working copy lies: an SQLite file and a file of searchable text, in one folder."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

GAP = 1 << 24
"""Between the order keys of two rows of the file: row ``n`` has the key ``n * GAP``."""
FIRST_INSERTED = 1 << 40
"""Rows of the file have their number there as id; rows put in later count from here."""
_ROWS = "rows.sqlite"
_TEXT = "text"
_ENDS = "ends"
_SCHEMA = """
CREATE TABLE rows (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    inserted INTEGER NOT NULL DEFAULT 0,
    edited INTEGER NOT NULL DEFAULT 0,
    codes TEXT NOT NULL,
    fault TEXT NOT NULL,
    summary TEXT NOT NULL
);
CREATE UNIQUE INDEX place ON rows (place, deleted);
CREATE INDEX gone ON rows (place) WHERE deleted AND NOT inserted;
CREATE INDEX inserted ON rows (place) WHERE NOT deleted AND inserted;
CREATE TABLE contents (id INTEGER PRIMARY KEY, value TEXT);
CREATE INDEX unreadable ON contents (id) WHERE value IS NULL;
CREATE TABLE marks (code TEXT, row INTEGER, PRIMARY KEY (code, row)) WITHOUT ROWID;
CREATE TABLE texts (id INTEGER PRIMARY KEY, text BLOB NOT NULL);
CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    row INTEGER NOT NULL,
    label TEXT NOT NULL,
    value TEXT,
    codes TEXT NOT NULL DEFAULT '',
    fault TEXT NOT NULL DEFAULT '',
    summary TEXT NOT NULL DEFAULT '',
    edited INTEGER NOT NULL DEFAULT 0
);
"""


def text_file(folder: Path) -> Path:
    """The rows' searchable text in the file's order, a line each, folded to one case."""
    return folder / _TEXT


def ends_file(folder: Path) -> Path:
    """Where each of those lines ends, in bytes: eight a row, little-endian."""
    return folder / _ENDS


def create(folder: Path) -> None:
    """Make an empty working copy, for the user alone."""
    folder.mkdir(mode=0o700, parents=True)
    for path in (folder / _ROWS, text_file(folder), ends_file(folder)):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = connect(folder)
    connection.executescript(_SCHEMA)
    connection.close()


def connect(folder: Path) -> sqlite3.Connection:
    """Open the copy's tables; several processes may at a time.

    It is thrown away after a crash, so nothing waits for the disk.
    """
    connection = sqlite3.connect(
        folder / _ROWS, timeout=30.0, isolation_level=None, check_same_thread=False
    )
    # SQLite gives its log and its index the mode of the file itself
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection
