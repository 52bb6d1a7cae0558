"""Cut chunks of bytes or text into lines of bounded length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.containers.refusals import ROW_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator


def byte_lines(chunks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Give each line without its line feed; ``None`` for one over the limit, which is skipped."""
    # Not splitlines: of what it splits at, only the line feed may not stand inside a row
    pending, skipping = b"", False
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        pending = b"" if skipping else pending + first
        if not others:
            if len(pending) > ROW_LIMIT:
                pending, skipping = b"", True
            continue
        yield None if skipping or len(pending) > ROW_LIMIT else pending
        skipping, pending = False, others.pop()
        yield from others
    if skipping or pending:
        yield None if skipping or len(pending) > ROW_LIMIT else pending


def text_lines(chunks: Iterator[str]) -> Iterator[str | None]:
    """Give each line with its line feed; ``None`` for one over the limit, which is skipped."""
    pending, skipping = "", False
    for chunk in chunks:
        first, *others = chunk.split("\n")
        pending = "" if skipping else pending + first
        if not others:
            if len(pending) > ROW_LIMIT:
                pending, skipping = "", True
            continue
        yield None if skipping or len(pending) > ROW_LIMIT else pending + "\n"
        skipping, pending = False, others.pop()
        for line in others:
            yield line + "\n"
    if skipping or pending:
        yield None if skipping or len(pending) > ROW_LIMIT else pending


def with_line_feeds(chunks: Iterator[str]) -> Iterator[str]:
    """Turn the lone carriage returns of old Macintosh files into line feeds."""
    for chunk in chunks:
        yield chunk.replace("\r", "\n")
