"""Characters that were hardly meant: controls, and text decoded with a wrong encoding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.data.checks.row_text import RowText

# C1 controls are left to the other check: in practice they come of a wrong encoding. U+200E and
# U+200F are used in honest Hebrew and Arabic.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")

# The bytes 80 to BF, as Latin-1 and Windows-1252 show them
_TAIL = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_READ_AS_WESTERN = re.compile(f"(?:[Â-ß][{_TAIL}]|[à-ï][{_TAIL}]{{2}}|ð[{_TAIL}]{{3}})+")
_LOST = ("\ufffd", "锟斤拷", "烫烫烫", "屯屯屯")
# What the commonest Chinese characters and punctuation in UTF-8 look like when read as GBK
_READ_AS_GBK = re.compile("[锛銆鈥鐨浣犲鍦鎴涓鏄殑垜鍜绗]")
_GBK_SIGNS = 3
"""Different ones; each is rare in honest text, three of them are no chance."""


def check_characters(row: RowText) -> Iterable[tuple[str, str]]:
    """Find control characters and mojibake."""
    found: list[tuple[str, str]] = []
    if control := _CONTROL.search(row.text):
        found.append(
            ("control-characters", tr("it holds {text}", text=f"U+{ord(control.group()):04X}"))
        )
    if not row.ascii and (detail := _mojibake(row.text)):
        found.append(("mojibake", detail))
    return found


def _mojibake(text: str) -> str:
    """Say what betrays a wrong encoding; empty where nothing does."""
    for lost in _LOST:
        if lost in text:
            return tr("it holds {text}", text=lost)
    for run in _READ_AS_WESTERN.finditer(text):
        if meant := _as_meant(run.group()):
            return tr("{run} stands for {meant}", run=run.group(), meant=meant)
    if "锛" not in text and "銆" not in text:  # what wide commas and full stops become
        return ""
    signs = _READ_AS_GBK.findall(text, 0, 2000)
    if len(set(signs)) >= _GBK_SIGNS:
        return tr("signs like {sign} come of UTF-8 read as GBK", sign=signs[0])
    return ""


def _as_meant(run: str) -> str:
    """Read a run of signs as the UTF-8 it once was; empty where it is honest text.

    A single three-byte sign may be French («é »», with a fixed blank): only quotes and dashes,
    which begin with ``â``, and longer runs prove anything.
    """
    try:
        raw = b"".join(_byte(sign) for sign in run)
        meant = raw.decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return ""
    proven = len(meant) > 1 or run[0] in "ÂÃâð"
    return meant if (proven and meant.isprintable()) or meant == "\xa0" else ""


def _byte(sign: str) -> bytes:
    """Give the byte that Windows-1252, or Latin-1 where that has a gap, shows as this sign."""
    try:
        return sign.encode("cp1252")
    except UnicodeEncodeError:
        return sign.encode("latin-1")
