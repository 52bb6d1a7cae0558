"""Look at each row of a dataset once: checks, measures, a sample; findings while it runs."""

from __future__ import annotations

import time
from array import array
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.data.checks import ROW_CHECKS
from engine.data.checks.duplicates import compare
from engine.data.checks.flags import Flags
from engine.data.checks.row_keys import RowKeys
from engine.data.checks.row_text import RowText
from engine.data.checks.sizes import few_rows
from engine.data.checks.splits import other_splits
from engine.data.containers.source import content_hash, open_source
from engine.data.faults import FaultyRowError
from engine.data.histogram import histogram
from engine.data.languages import guess_languages
from engine.data.normalize import normalizer
from engine.data.scan_sample import Reservoir
from engine.data.shapes import propose
from engine.data.types import Inspection, Message, Scanning
from engine.data.words import shown
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from engine.data.containers.source import Source
    from engine.data.types import Conversation, Histogram, Shape

    Row = dict[str, Any] | FaultyRowError

INTERVAL = 0.3
"""Seconds between two reports."""
_SHAPE_ROWS = 300
_FIRST_ROWS = 10_000
"""Rows that are searched for one that can be read."""
_PREVIEW_ROWS = 3
_PREVIEW_CHARACTERS = 20_000
_LANGUAGE_ROWS = 400
_COMPARE_FIRST = 500


@dataclass(frozen=True)
class Scanned:
    """All that a scan yields: the inspection, and what is kept beside it."""

    inspection: Inspection
    flagged: dict[str, array[int]]
    """Row numbers by the findings' codes, ascending."""
    keys: RowKeys
    """Of the rows that can train."""
    sample: list[Conversation]
    """To be tokenized: all rows that can train, or some of them and the longest."""
    drawn: set[int]
    """The numbers of the sampled rows that chance chose."""


class Scan:
    """One look at a dataset.

    Args:
        path: A file or folder.
        mapping: Which column holds which field, where the user said so.
        sha256: Gives the content's hash once the rows are read; computed where not given.

    Raises:
        LoraDeckError: The file as a whole cannot be used; names the file, the place and the cure.
    """

    def __init__(
        self,
        path: Path,
        mapping: Mapping[str, str] | None = None,
        sha256: Callable[[], str] | None = None,
    ) -> None:
        self._path, self._mapping = path, mapping
        self._sha256 = sha256 or (lambda: content_hash(path))
        self._flags, self._keys, self._sample = Flags(), RowKeys(), Reservoir()
        self._turns: Counter[int] = Counter()
        self._characters: array[int] = array("Q")
        self._preview: list[Conversation] = []
        self._rows = 0
        self._compare_at = _COMPARE_FIRST
        self.result: Scanned | None = None
        """Set when ``steps`` has ended."""

    def steps(self) -> Iterator[Scanning]:
        """Scan, reporting every 0.3 s; the last report carries the inspection."""
        source = open_source(self._path)
        rows = source.rows()
        first, columns = _first_rows(rows)
        shape = self._propose([row for row in first if isinstance(row, dict)])
        look = self._looker(shape)
        due = time.monotonic() + INTERVAL
        for batch in (first, rows):
            for row in batch:
                look(row)
                if time.monotonic() >= due:
                    yield self._report(source)
                    due = time.monotonic() + INTERVAL
        self.result = self._finish(source, shape, columns)
        yield Scanning(
            rows=self._rows,
            share=1.0,
            findings=self.result.inspection.findings,
            inspection=self.result.inspection,
        )

    def _propose(self, rows: list[dict[str, Any]]) -> Shape:
        """Find out how the rows are to be read, or name the file that cannot be."""
        try:
            return propose(rows, self._mapping)
        except LoraDeckError as error:
            name = shown(self._path)
            message = error.message if name in error.message else f"{name}: {error.message}"
            raise type(error)(error.title, message, error.hint) from None

    def _looker(self, shape: Shape) -> Callable[[Row], None]:
        """Make the function that takes the next row; a closure, since it runs a million times."""
        normalize, take, flags = normalizer(shape), self._take, self._flags

        def look(row: Row) -> None:
            self._rows += 1
            if isinstance(row, FaultyRowError):
                flags.add_fault(self._rows, row)
                return
            try:
                conversation = normalize(row, self._rows)
            except FaultyRowError as fault:
                flags.add_fault(self._rows, fault)
                return
            take(conversation)

        return look

    def _take(self, conversation: Conversation) -> None:
        """Check and measure a row that can train."""
        row = RowText(conversation)
        for check in ROW_CHECKS:
            for code, detail in check(row):
                self._flags.add(code, row.number, detail)
        self._keys.add(row)
        self._turns[row.turns] += 1
        self._characters.append(row.characters)
        self._sample.add(conversation, row.characters)
        if len(self._preview) < _PREVIEW_ROWS:
            self._preview.append(_shortened(conversation))

    def _report(self, source: Source) -> Scanning:
        """Tell how far the scan is; rows are compared anew each time their number has doubled."""
        if len(self._keys.numbers) >= self._compare_at:
            self._flags.replace(compare(self._keys))
            self._compare_at = 2 * len(self._keys.numbers)
        findings = tuple(self._flags.findings())
        return Scanning(rows=self._rows, share=source.share(), findings=findings)

    def _finish(self, source: Source, shape: Shape, columns: tuple[str, ...]) -> Scanned:
        """Sum the rows up."""
        self._flags.replace(compare(self._keys))
        sample = self._sample.rows()
        step = max(1, len(sample) // _LANGUAGE_ROWS)
        texts = [_said(one) for one in sample[::step][:_LANGUAGE_ROWS]]
        inspection = Inspection(
            path=str(self._path),
            dataset_type=shape.dataset_type,
            rows=self._rows,
            faulty=self._flags.faulty,
            findings=(*self._flags.findings(), *few_rows(self._rows), *other_splits(source)),
            sha256=self._sha256(),
            size_bytes=source.size_bytes,
            container=source.container,
            shape=shape,
            columns=columns,
            turns=_spread(sorted(self._turns.elements())) if self._turns else None,
            characters=_spread(self._characters) if self._characters else None,
            languages=guess_languages(texts),
            preview=tuple(self._preview),
        )
        return Scanned(inspection, self._flags.rows, self._keys, sample, self._sample.drawn)


def scan(path: Path, mapping: Mapping[str, str] | None = None) -> Iterator[Scanning]:
    """Look at a dataset row by row, reporting every 0.3 s; the last report has the inspection.

    Raises:
        LoraDeckError: The file as a whole cannot be used; names the file, the place and the cure.
    """
    return Scan(path, mapping).steps()


def _first_rows(rows: Iterator[Row]) -> tuple[list[Row], tuple[str, ...]]:
    """Take rows to find out their shape from, and the columns that they have."""
    first: list[Row] = []
    columns: dict[str, None] = {}
    readable = 0
    for row in rows:
        first.append(row)
        if isinstance(row, dict):
            columns.update(dict.fromkeys(map(str, row)))
            readable += 1
        if readable >= _SHAPE_ROWS or (readable and len(first) >= _FIRST_ROWS):
            break
    return first, tuple(columns)


def _shortened(conversation: Conversation) -> Conversation:
    """Cut very long turns, for a preview that crosses the interface."""
    if all(len(one.content) <= _PREVIEW_CHARACTERS for one in conversation.messages):
        return conversation
    messages = tuple(map(_shortened_turn, conversation.messages))
    return conversation.model_copy(update={"messages": messages})


def _shortened_turn(message: Message) -> Message:
    """Cut one turn."""
    if len(message.content) <= _PREVIEW_CHARACTERS:
        return message
    return message.model_copy(update={"content": message.content[:_PREVIEW_CHARACTERS] + "…"})


def _said(conversation: Conversation) -> str:
    """Give what a conversation says, for guessing its language; the answer leads."""
    return "\n".join(one.content for one in reversed(conversation.messages))


def _spread(values: Any) -> Histogram:
    """Make a histogram of values in any order."""
    import numpy as np

    ascending: Any = np.sort(np.asarray(values))
    return histogram(ascending)
