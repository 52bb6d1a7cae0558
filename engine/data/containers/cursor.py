"""Read the JSON values of a long text one by one, holding only the present one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from engine.data.containers.json_values import (
    CONTAINERS_LIMIT,
    DECODER,
    DEPTH_LIMIT,
    NestedTooDeepError,
    check_depth,
    nested_too_deep,
    reason,
)
from engine.data.containers.refusals import ROW_LIMIT, too_large
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.text import either, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WANTED = mark("Wanted is a list of rows: [ {…}, {…} ], or one {…} on each line.")
_BLANK = re.compile(r"[ \t\r\n]*")
_NEAR_END = 16
"""Characters: an error this near to what is known so far may be for want of the rest."""


class Cursor:
    """A place in a JSON text that moves from value to value.

    Raises:
        LoraDeckError: From each of its methods: the text is broken there (with line and column),
            or a value is too large or nested too deep.
    """

    def __init__(self, chunks: Iterator[str], path: Path) -> None:
        self._chunks = chunks
        self._path = path
        self._text = ""
        self._at = 0
        self._ended = False
        self._line = 1
        self._column = 1
        self.passed = 0
        """Characters that were read and left behind."""
        self.values = 0
        """Values that were read."""

    def peek(self) -> str:
        """Give the next character that is no blank; empty at the end."""
        while True:
            match = _BLANK.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more(1):
                return ""

    def take(self, wanted: str) -> str:
        """Go over the next character, which must be one of ``wanted``; give it."""
        found = self.peek()
        if not found or found not in wanted:
            signs = either(f"'{one}'" for one in wanted)
            raise self._broken(tr("Expecting {signs}", signs=signs), self._at)
        self._at += 1
        return found

    def value(self) -> Any:
        """Read one whole value."""
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._may_go_on(error):
                    raise self._broken(reason(error), error.pos) from None
                behind = error.pos - self._at
                if not self._more(len(self._text) - self._at):
                    raise self._broken(reason(error), self._at + behind) from None
                continue
            except RecursionError:
                raise self.too_deep() from None
            # A number may go on in the next chunk
            if end < len(self._text) or not self._more(1):
                return self._checked(value, end)

    def text(self) -> str:
        """Read a key."""
        if self.peek() != '"':
            raise self._broken("Expecting property name enclosed in double quotes", self._at)
        return str(self.value())

    def too_deep(self) -> LoraDeckError:
        """Say that what begins here is nested too deep."""
        return LoraDeckError(
            tr("JSON nested too deep"),
            fault_of(self._where(self._at), nested_too_deep()),
            tr(WANTED),
        )

    def goes_on(self) -> LoraDeckError:
        """Say that the text goes on where it should end."""
        return self._broken("Extra data", self._at)

    def _checked(self, value: Any, end: int) -> Any:
        """Go over a value, unless it is nested too deep."""
        opened = self._text.count("[", self._at, end) + self._text.count("{", self._at, end)
        if opened > DEPTH_LIMIT:
            try:
                check_depth(value)
            except NestedTooDeepError:
                raise self.too_deep() from None
        self._at = end
        self.values += 1
        return value

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Tell whether an error may be only for want of what comes next."""
        unclosed = error.msg.startswith("Unterminated string")
        return unclosed or error.pos >= len(self._text) - _NEAR_END

    def _more(self, wanted: int) -> bool:
        """Leave behind what was read, and add at least ``wanted`` characters if there are any."""
        left = self._text[: self._at]
        self.passed += len(left)
        self._line += left.count("\n")
        self._column = len(left) - left.rfind("\n") + (0 if "\n" in left else self._column - 1)
        parts, size = [self._text[self._at :]], 0
        while size < wanted and not self._ended:
            part = next(self._chunks, None)
            self._ended = part is None
            parts.append(part or "")
            size += len(part or "")
        self._text, self._at = "".join(parts), 0
        self._check_size()
        return size > 0

    def _check_size(self) -> None:
        """Refuse to hold more than a row may have."""
        if len(self._text) > 2 * ROW_LIMIT or self._brackets() > CONTAINERS_LIMIT:
            raise too_large(self._path, tr("what begins at {place}", place=self._place(0)))

    def _brackets(self) -> int:
        """Count the lists and objects that are held."""
        return self._text.count("[") + self._text.count("{")

    def _where(self, at: int) -> str:
        """Name the file, and the place in it of a character that is held."""
        return tr("{file}: {place}", file=shown(self._path), place=self._place(at))

    def _place(self, at: int) -> str:
        """Name the line and column of a character that is held."""
        before = self._text[:at]
        line = self._line + before.count("\n")
        column = at - before.rfind("\n") if "\n" in before else self._column + at
        return tr("line {line}, column {column}", line=line, column=column)

    def _broken(self, why: str, at: int) -> LoraDeckError:
        """Say where the text is broken, and how to mend it."""
        if why == "Extra data":
            hint = f"{tr('The file goes on after the JSON has ended.')} {tr(WANTED)}"
        elif why.startswith("Unterminated string") or not self._text[at:].strip():
            hint = tr("The file ends before the JSON does: check that the file was written whole.")
        else:
            hint = tr("Mend that place in an editor, or write the file again with a JSON library.")
        return LoraDeckError(tr("Broken JSON"), fault_of(self._where(at), tr(why)), hint)
