"""A dataset in one file."""

from __future__ import annotations

import codecs
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from engine.data.containers import json_file, prose
from engine.data.containers.arrow import arrow_rows
from engine.data.containers.cursor import Cursor
from engine.data.containers.delimited import delimited_rows
from engine.data.containers.encoding import decoded
from engine.data.containers.jsonl import jsonl_rows
from engine.data.containers.lines import with_line_feeds
from engine.data.containers.parquet import parquet_rows
from engine.data.containers.refusals import status
from engine.data.containers.sniff import look
from engine.data.containers.stream import Progress, chunks, unpack
from engine.data.words import brief, shown
from engine.errors import LoraDeckError
from engine.language import listed, mark, tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.containers.json_file import Found
    from engine.data.faults import FaultyRowError


class FileSource:
    """Rows of one file.

    Raises:
        LoraDeckError: It cannot be read, is empty, or is of no known kind.
    """

    other_splits: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = (path,)
        self.size_bytes = status(path).st_size
        self._look = look(path)
        self._plain: IO[bytes] | None = None
        self._list: Found | None = None
        if self._look.kind == "object":
            self._list = json_file.find_list(self._cursor(Progress(0)))
        self._by_line = self._look.kind == "text" and not prose.has_paragraphs(self._look.sample)
        self.kind = tr(_KINDS[self._look.kind])
        self.container = self._words()
        self._progress = Progress(self.size_bytes)

    def rows(self) -> Iterator[dict[str, Any] | FaultyRowError]:
        """Give each row, from the beginning."""
        self._progress = progress = Progress(self.size_bytes)
        kind = self._look.kind
        if kind in ("parquet", "arrow"):
            yield from self._table(progress)
        elif kind == "jsonl":
            yield from jsonl_rows(self._utf8(progress))
        elif kind == "table" and self._look.dialect:
            yield from delimited_rows(self._text(progress), self._look.dialect, self.path)
        elif kind in ("text", "markdown"):
            yield from self._prose(progress)
        else:
            yield from self._json(self._cursor(progress))
        progress.done = progress.total

    def share(self) -> float:
        """Tell how far the reading is, by the bytes on the disk."""
        return self._progress.share

    def file_of(self, row: int) -> Path:  # noqa: ARG002 (a folder's needs it)
        """Name the file."""
        return self.path

    def _table(self, progress: Progress) -> Iterator[dict[str, Any] | FaultyRowError]:
        """Read Parquet or Arrow, unpacked first where it is packed."""
        read = parquet_rows if self._look.kind == "parquet" else arrow_rows
        if not self._look.packing:
            yield from read(self.path, progress)
            return
        if self._plain is None:
            self._plain = unpack(self.path, self._look.packing)
            weakref.finalize(self, self._plain.close)
        plain = Path(self._plain.name)
        progress.total = plain.stat().st_size
        try:
            yield from read(plain, progress)
        except LoraDeckError as error:
            words = error.message.replace(str(plain), shown(self.path))
            raise LoraDeckError(error.title, words, error.hint) from None

    def _json(self, cursor: Cursor) -> Iterator[dict[str, Any] | FaultyRowError]:
        """Read what JSON there is."""
        if self._look.kind == "list":
            yield from json_file.list_rows(cursor, self.path)
        elif self._look.kind == "value":
            raise json_file.single_value(cursor, self.path)
        elif self._list:
            yield from json_file.rows_under(cursor, self._list.keys)
        else:
            yield from json_file.object_rows(cursor)

    def _prose(self, progress: Progress) -> Iterator[dict[str, Any] | FaultyRowError]:
        """Read plain text or Markdown."""
        if self._look.kind == "markdown":
            return prose.section_rows(self._text(progress))
        if self._by_line:
            return prose.line_rows(self._text(progress))
        return prose.paragraph_rows(self._text(progress))

    def _cursor(self, progress: Progress) -> Cursor:
        """Begin to read JSON."""
        return Cursor(self._text(progress), self.path)

    def _text(self, progress: Progress) -> Iterator[str]:
        """Give the file's text."""
        data = chunks(self.path, self._look.packing, progress)
        text = decoded(data, self._look.encoding, self.path)
        return with_line_feeds(text) if self._has_lone_returns() else text

    def _utf8(self, progress: Progress) -> Iterator[bytes]:
        """Give the file's text as UTF-8; a file that is UTF-8 is not decoded twice."""
        encoding = self._look.encoding
        if encoding.codec != "utf-8" or self._has_lone_returns():
            return (piece.encode() for piece in self._text(progress))
        return _without_mark(chunks(self.path, self._look.packing, progress))

    def _has_lone_returns(self) -> bool:
        """Tell whether lines end as on old Macintoshes."""
        sample = self._look.sample
        return "\r" in sample and "\n" not in sample

    def _words(self) -> str:
        """Describe the container."""
        kind = self.kind
        if self._look.dialect and self._look.kind == "table":
            kind = self._look.dialect.label
        if encoding := self._look.encoding.label:
            kind = tr("{kind} in {encoding}", kind=kind, encoding=encoding)
        words = [kind]
        if self._list:
            words.append(tr("rows under {key}", key=brief(".".join(self._list.keys))))
        if self._look.kind == "text":
            words.append(tr("a row a line") if self._by_line else tr("a row a paragraph"))
        if self._look.kind == "markdown":
            words.append(tr("a row a section"))
        return listed([*words, *filter(None, [self._look.packing])])


_KINDS = {
    "parquet": "Parquet",
    "arrow": "Arrow",
    "jsonl": "JSONL",
    "list": "JSON",
    "object": "JSON",
    "value": "JSON",
    "table": "CSV",
    "text": mark("Plain text"),
    "markdown": "Markdown",
}


def _without_mark(data: Iterator[bytes]) -> Iterator[bytes]:
    """Take off the byte order mark of UTF-8."""
    first = next(data, b"")
    yield first.removeprefix(codecs.BOM_UTF8)
    yield from data
