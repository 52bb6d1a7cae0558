"""TinyDB's storage, so that no crash can tear it: one JSON file, replaced whole at each write."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any, cast

import msgspec
from tinydb.storages import Storage

from engine.errors import LoraDeckError
from engine.files import read_plain, set_aside, write_atomic
from engine.language import tr

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)
TASKS = "tasks"
Tables = dict[str, dict[str, Any]]
"""Documents by their number, by the name of their table."""


class AtomicStorage(Storage):
    """Keeps what the file holds in memory too, and one older generation beside the file.

    TinyDB's own JSON storage writes in place: a kill or a full disk leaves it torn. It also reads
    the whole file before each write; here nobody else writes, so once is enough.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._older = path.with_name(path.name + ".old")
        self._tables: Tables | None = None
        self.complete = True
        """Whether the newest generation could be read; if not, newer states may be elsewhere."""

    def read(self) -> Tables:
        """Give the tables, which the caller may change.

        A file that is unreadable is set aside, and the older generation taken.

        Raises:
            LoraDeckError: The files are there and may not be read.
        """
        if self._tables is None:
            self._tables = self._load()
        return {
            name: {number: _copy(document) for number, document in table.items()}
            if isinstance(table, dict)
            else table
            for name, table in self._tables.items()
        }

    def write(self, data: Tables) -> None:
        """Keep the present generation as the older one and put the new one in its place.

        Raises:
            OSError: It could not be written; file and memory are as before.
        """
        content = msgspec.json.encode(data)
        self._keep_generation()
        write_atomic(self._path, content)
        self._tables = data

    def hold(self, data: Tables) -> None:
        """Take over mended tables; the next write stores them."""
        self._tables = data

    def _load(self) -> Tables:
        """Read the newest generation that is readable."""
        for candidate in (self._path, self._older):
            try:
                return read_tables(candidate)
            except FileNotFoundError:
                pass
            except ValueError as error:
                aside = set_aside(candidate)
                log.warning("%s is unreadable (%s); set aside as %s", candidate, error, aside.name)
            except OSError as error:
                raise LoraDeckError(
                    tr("Tasks not readable"),
                    tr("{path} cannot be read: {reason}.", path=candidate, reason=error.strerror),
                    tr("Make it yours and readable: chmod u+rw '{path}'", path=candidate),
                ) from error
            self.complete = False
        return {}

    def _keep_generation(self) -> None:
        """Give the present file the older generation's name too; a link costs no room."""
        if not self._path.exists():
            return
        self._older.unlink(missing_ok=True)
        try:
            os.link(self._path, self._older)
        except OSError:  # a file system without links
            write_atomic(self._older, self._path.read_bytes())


def read_tables(path: Path) -> Tables:
    """Read a file of tables; changes nothing.

    Raises:
        OSError: There is none, or it may not be read.
        ValueError: It is none: no plain file, no JSON, or no table of tasks is in it.
    """
    tables = decode(read_plain(path))
    if isinstance(tables, dict) and isinstance(tables.get(TASKS, {}), dict):
        return cast("Tables", tables)
    raise ValueError("no tables of tasks in it")


def decode(content: bytes) -> Any:
    """Parse JSON that can be written again.

    Raises:
        ValueError: It is none, or is nested too deep.
    """
    try:
        return msgspec.json.decode(content)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    except ValueError as error:
        if b"NaN" not in content and b"Infinity" not in content:
            raise ValueError(str(error)) from error
    # Python's own writer, which wrote these files once, writes what is no JSON
    try:
        return msgspec.json.decode(msgspec.json.encode(json.loads(content)))
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _copy(document: Any) -> Any:
    """Copy a document, so that a write that fails leaves the one in memory as it was."""
    return dict(document) if isinstance(document, dict) else document
