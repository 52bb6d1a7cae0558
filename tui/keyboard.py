"""What the keyboard sends, as Textual reads it."""

from __future__ import annotations

import codecs
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.driver import Driver

_ESC = "\x1b"
_BEGIN, _END = "\x1b[200~", "\x1b[201~"
"""What a terminal puts around a paste."""


def make_bearable(driver: type[Driver]) -> None:
    """Let a driver bear what Textual's does not: it decodes by a function of ``codecs``.

    Bytes that are not UTF-8 end its thread, and the dashboard with it: a name in Latin-1 that is
    pasted is enough. And of an ESC within a paste, with what follows, it makes keys that act.
    """
    module = sys.modules[driver.__module__]
    if hasattr(module, "getincrementaldecoder"):
        module.getincrementaldecoder = _reader  # type: ignore[attr-defined]


def _reader(_encoding: str) -> Callable[[], Reader]:
    """Give, as the function of ``codecs`` does, what makes a decoder."""
    return Reader


class Reader:
    """Decodes what a terminal sends: no byte is refused, and a paste loses each ESC within it."""

    def __init__(self) -> None:
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")
        self._pasting = False
        self._before = ""
        """The last signs that were given, among which a mark may have begun."""
        self._held = ""
        """The end of a paste so far that may be the beginning of its end's mark."""

    def decode(self, data: bytes, final: bool = False) -> str:
        """Decode the next bytes."""
        text, given = self._bytes.decode(data, final), ""
        while text:
            part, text = self._pasted(text) if self._pasting else self._typed(text)
            given += part
        return given

    def _typed(self, text: str) -> tuple[str, str]:
        """Take keys up to a paste; none may wait, since a lone ESC is one."""
        head, mark, _ = (self._before + text).partition(_BEGIN)
        if not mark:
            self._before = (self._before + text)[1 - len(_BEGIN) :]
            return text, ""
        end = len(head + mark) - len(self._before)
        self._before, self._pasting = "", True
        return text[:end], text[end:]

    def _pasted(self, text: str) -> tuple[str, str]:
        """Take a paste up to its end."""
        head, mark, rest = (self._held + text).partition(_END)
        self._held, self._pasting = "", not mark
        if not mark:
            begun = next((n for n in range(len(_END) - 1, 0, -1) if head.endswith(_END[:n])), 0)
            head, self._held = head[: len(head) - begun], head[len(head) - begun :]
        return head.replace(_ESC, "") + mark, rest
