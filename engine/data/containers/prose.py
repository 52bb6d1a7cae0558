"""Rows of plain text and Markdown, as ``{"text": …}``.

A plain text's rows are its paragraphs, parted by blank lines; a text without a blank line has a
row a line, as ``datasets`` reads it. A Markdown text's rows are its sections: a heading and what
stands below it up to the next heading; headings without text of their own stay with the next.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.data.containers.lines import text_lines
from engine.data.containers.refusals import ROW_LIMIT
from engine.data.faults import FaultyRowError, RowTooLargeError
from engine.language import tr
from engine.text import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+\S")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n\s*\S")


def has_paragraphs(sample: str) -> bool:
    """Tell whether blank lines part a text."""
    return _BLANK_LINE.search(sample.strip().replace("\r\n", "\n").replace("\r", "\n")) is not None


def has_headings(sample: str) -> bool:
    """Tell whether a text has at least one Markdown heading outside code."""
    return any(is_heading for _, is_heading in _marked(iter(sample.splitlines())))


def line_rows(chunks: Iterator[str]) -> Iterator[dict[str, str] | FaultyRowError]:
    """Read a row from each line that is not blank."""
    yield from _rows([line] for line in text_lines(chunks))


def paragraph_rows(chunks: Iterator[str]) -> Iterator[dict[str, str] | FaultyRowError]:
    """Read a row from each paragraph."""
    yield from _rows(_paragraphs(text_lines(chunks)))


def section_rows(chunks: Iterator[str]) -> Iterator[dict[str, str] | FaultyRowError]:
    """Read a row from each section."""
    yield from _rows(_sections(text_lines(chunks)))


def _rows(blocks: Iterator[list[str | None]]) -> Iterator[dict[str, str] | FaultyRowError]:
    """Make a row of each block that says something."""
    number = 0
    for block in blocks:
        if None in block:
            number += 1
            detail = tr(
                "text {number} is larger than {limit}",
                number=number,
                limit=human_bytes(ROW_LIMIT),
            )
            yield RowTooLargeError("broken-json", detail)
            continue
        text = "".join(line or "" for line in block).replace("\r\n", "\n")
        if text.strip():
            number += 1
            yield {"text": text.strip("\n").rstrip()}


def _paragraphs(lines: Iterator[str | None]) -> Iterator[list[str | None]]:
    """Gather lines up to a blank one."""
    block = _Block()
    for line in lines:
        if line is not None and not line.strip():
            yield block.close()
        else:
            block.add(line)
    yield block.close()


def _sections(lines: Iterator[str | None]) -> Iterator[list[str | None]]:
    """Gather lines up to the next heading, once there is text below the present one."""
    block, has_text = _Block(), False
    for line, is_heading in _marked(lines):
        if is_heading and has_text:
            yield block.close()
            has_text = False
        block.add(line)
        has_text = has_text or (not is_heading and bool(line is None or line.strip()))
    yield block.close()


class _Block:
    """Lines that make a row; beyond what a row may hold, one mark in their place."""

    def __init__(self) -> None:
        self._lines: list[str | None] = []
        self._size = 0

    def add(self, line: str | None) -> None:
        """Add a line, or forget them all: they are too many."""
        self._size += len(line or "") + 1
        if line is None or self._size > ROW_LIMIT:
            self._lines, self._size = [None], ROW_LIMIT + 1
        else:
            self._lines.append(line)

    def close(self) -> list[str | None]:
        """Give the lines and begin anew."""
        lines, self._lines, self._size = self._lines, [], 0
        return lines


def _marked(lines: Iterator[str | None]) -> Iterator[tuple[str | None, bool]]:
    """Tell of each line whether it is a heading; a # inside fenced code is none."""
    fence = ""
    for line in lines:
        mark = _FENCE.match(line) if line else None
        if mark and not fence:
            fence = mark.group(1)
        elif mark and mark.group(1).startswith(fence):
            fence = ""
        yield line, not fence and line is not None and bool(_HEADING.match(line))
