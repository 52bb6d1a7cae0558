"""ASCII in place of lines, blocks, braille and signs, for terminals that cannot draw them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.filter import LineFilter

if TYPE_CHECKING:
    from textual.color import Color

_BRAILLE = range(0x2800, 0x2900)
_BOXES = range(0x2500, 0x2580)
_BLOCKS = range(0x2580, 0x25A0)
_DENSITY = " ..::**##"  # by the number of braille's eight dots
_NAMED = {
    "✓": "v", "✗": "x", "✎": "*", "►": ">", "▶": ">", "◀": "<", "▼": "v", "▲": "!", "‖": "=",
    "✂": "%", "↻": "o", "▾": "v", "▸": ">", "○": "o", "●": "*", "◆": "*", "■": "#", "□": "_",
    "•": "-", "·": "-", "…": "~", "–": "-",
    "—": "-", "−": "-", "×": "x", "‹": "<", "›": ">", "«": "<", "»": ">", "←": "<", "→": ">",
    "↑": "^", "↓": "v", "⏎": "<", "⟦": "[", "⟧": "]", "“": '"', "”": '"', "‘": "'", "’": "'",
    "≈": "~", "≤": "<", "≥": ">", "±": "+", "°": "o", "━": "=", "┃": "|", "▌": ">", "▐": "|",
    "▏": "|", "▎": "|", "▍": "|", "▋": "|", "▊": "|", "▉": "#", "▕": "|", "▔": "-", "▁": "_",
    "▂": ".", "▃": "-", "▄": "~", "▅": "+", "▆": "*", "▇": "%", "█": "#", "▀": "^",
    "░": ".", "▒": ":", "▓": "#", "🔎": " /", "╱": "/", "╲": "\\", "╳": "X",
}  # fmt: skip


class AsciiFilter(LineFilter):
    """Draws every sign as ASCII of the same width; letters of any script stay.

    Args:
        encoding: The terminal's: what it cannot say is drawn as a question mark.
        enabled: Whether it does anything.
    """

    def __init__(self, encoding: str, *, enabled: bool) -> None:
        super().__init__(enabled)
        self._encoding = encoding

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """Draw a line's segments."""
        return [one if one.text.isascii() else self._drawn(one) for one in segments]

    def _drawn(self, one: Segment) -> Segment:
        """Draw a segment, character by character: there are few that are not ASCII."""
        text = "".join(
            sign if sign.isascii() else ascii_of(sign, self._encoding) for sign in one.text
        )
        if one.style is not None and "@mouse.down" in one.style.meta:
            text = " " * len(text)  # a scroll bar's end, finer than a cell: no sign stands for it
        return Segment(text, one.style, one.control)


@lru_cache(4096)
def ascii_of(sign: str, encoding: str = "utf-8") -> str:
    """Give what stands for a character: itself where it is a letter that can be said."""
    drawn = _glyph(sign)
    if not drawn.isascii() and not _can_say(drawn, encoding):
        return "?" * cell_len(drawn)
    return drawn


def _glyph(sign: str) -> str:
    """Give ASCII for a sign of any kind; letters, marks and figures stay."""
    if named := _NAMED.get(sign):
        return named
    code = ord(sign)
    if code in _BRAILLE:
        return _DENSITY[(code - _BRAILLE.start).bit_count()]
    if code in _BOXES:
        return _box(unicodedata.name(sign))
    if code in _BLOCKS:
        return "#"
    if unicodedata.category(sign)[0] not in "SP" or _is_cjk(code):
        return sign
    plain = unicodedata.normalize("NFKD", sign)
    return plain if plain.isascii() and len(plain) == cell_len(sign) else "?" * cell_len(sign)


def _box(name: str) -> str:
    """Give the line that a box drawing character is nearest to, by its Unicode name."""
    words = set(name.split())
    across, along = words & {"HORIZONTAL", "LEFT", "RIGHT"}, words & {"VERTICAL", "UP", "DOWN"}
    return "+" if across and along else "-" if across else "|"


def _can_say(text: str, encoding: str) -> bool:
    """Tell whether the terminal's encoding has a text."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _is_cjk(code: int) -> bool:
    """Tell whether a sign is Chinese, Japanese or Korean punctuation."""
    return 0x3000 <= code <= 0x30FF or 0xFE30 <= code <= 0xFFEF
