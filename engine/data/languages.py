"""Guess the languages of rows from a sample of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHARACTERS = 600
_LETTERS = 15
"""Texts with fewer letters are left out: a guess would be a coin toss."""
_LEAST_SHARE = 0.02


def guess_languages(texts: Iterable[str]) -> tuple[tuple[str, float], ...]:
    """Give ISO 639-1 codes with their share of the texts, largest first."""
    counts = Counter(code for text in texts if (code := _guess(text[:_CHARACTERS])))
    total = sum(counts.values())
    shares = [(code, round(count / total, 3)) for code, count in counts.most_common()]
    return tuple(pair for pair in shares if pair[1] >= _LEAST_SHARE)


def _guess(text: str) -> str:
    """Guess one text's language; empty where it is too short."""
    # The model takes 30 MB and 0.2 s: only the scanning process loads it
    from py3langid import classify

    letters = sum(map(str.isalpha, text))
    wide = any("\u3040" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7a3" for sign in text)
    return str(classify(text)[0]) if letters >= (4 if wide else _LETTERS) else ""
