"""Turns tokens into text as they come: no half characters, and no beginning of a stop text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_BROKEN = "\ufffd"
_LONGEST_WAIT = 16
"""Tokens after which a character counts as broken: none has more than four bytes, but whole runs
of bytes are decoded at once."""


class TextStream:
    """The text of an answer that is still being made.

    Args:
        decode: Gives the text of some tokens, special ones left out.
        stops: Texts at which the answer ends; they are not part of it.
    """

    def __init__(self, decode: Callable[[list[int]], str], stops: Sequence[str] = ()) -> None:
        self._decode = decode
        self._stops = [stop for stop in stops if stop]
        self._tokens: list[int] = []
        self._start = self._read = 0
        self._held = ""
        self.stopped = False
        """Whether a stop text has come."""

    def put(self, token: int) -> str:
        """Take a token and give the text that is certain by now; often empty."""
        self._tokens.append(token)
        return self._certain(self._decoded())

    def end(self) -> str:
        """Give what was held back, the answer having ended."""
        if self.stopped:
            return ""
        text = self._certain(self._decoded(ended=True))
        rest, self._held = self._held, ""
        return text if self.stopped else text + rest

    def _decoded(self, *, ended: bool = False) -> str:
        """Give the text of the tokens not read yet, unless its last character is not whole.

        Decoded together with the tokens before: some tokenizers drop a text's first blank.
        """
        before = self._decode(self._tokens[self._start : self._read])
        text = self._decode(self._tokens[self._start :])
        waits = len(self._tokens) - self._read < _LONGEST_WAIT and not ended
        if len(text) <= len(before) or (text.endswith(_BROKEN) and waits):
            return ""
        self._start, self._read = self._read, len(self._tokens)
        return text[len(before) :]

    def _certain(self, text: str) -> str:
        """Hold back what may be the beginning of a stop text; cut the answer at a whole one."""
        if self.stopped:
            return ""
        text = self._held + text
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        kept = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]


def _overlap(text: str, stop: str) -> int:
    """Count the characters at the end of a text with which a stop text begins."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
