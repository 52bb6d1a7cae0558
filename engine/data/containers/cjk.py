"""Tell the double-byte encodings of Chinese, Japanese and Korean apart.

Their bytes overlap so far that most texts in one decode in the others too, to rare characters.
Everyday characters fill a known part of each code's table: the encoding in which nearly all
characters are everyday ones is the right one, from a dozen characters on.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass


@dataclass(frozen=True)
class _Code:
    """A double-byte encoding, and where its everyday characters lie."""

    codec: str
    plain: str
    """The older codec that has only the table itself, without later additions."""
    common: tuple[int, int]
    """First and last lead byte of the everyday characters."""
    wanted: float
    """Share of everyday characters from which on a text is taken for this encoding."""
    kana: bool = False
    """Whether a text without a syllable of kana is none in this encoding."""


# In this order: the everyday part of Korean lies inside that of Chinese
_CODES = (
    _Code("cp932", "shift_jis", (0x88, 0x97), 0.85, kana=True),
    _Code("euc_jp", "euc_jp", (0xB0, 0xCF), 0.85, kana=True),
    _Code("cp949", "euc_kr", (0xB0, 0xC8), 0.97),
    _Code("gb18030", "gb2312", (0xB0, 0xD7), 0.85),
    _Code("big5", "big5", (0xA4, 0xC6), 0.85),
)


def guess_cjk(sample: bytes) -> str:
    """Name the codec of a Chinese, Japanese or Korean text; empty where it is none of them."""
    for code in _CODES:
        try:
            text = codecs.getincrementaldecoder(code.codec)().decode(sample)
        except UnicodeDecodeError:
            continue
        if _looks_right(text, code):
            return "big5hkscs" if code.codec == "big5" else code.codec
    return ""


def _looks_right(text: str, code: _Code) -> bool:
    """Tell whether nearly all characters are everyday ones of this encoding."""
    letters = [one for one in text if one >= "\u3040" and not "\uff00" <= one <= "\uffef"]
    foreign = sum(1 for one in text if "\x80" <= one < "\u2000" or "\uff61" <= one <= "\uff9f")
    if not letters or foreign > 0.2 * len(letters):
        return False
    kana = sum(1 for one in letters if one <= "\u30ff")
    if code.kana and kana < 0.1 * len(letters):
        return False
    common = kana if code.kana else 0
    common += sum(1 for one in letters if one > "\u30ff" and _is_common(one, code))
    return common >= code.wanted * len(letters)


def _is_common(character: str, code: _Code) -> bool:
    """Tell whether a character lies in the everyday part of the encoding's table."""
    try:
        lead = character.encode(code.plain)[0]
    except UnicodeEncodeError:
        return False
    return code.common[0] <= lead <= code.common[1]
