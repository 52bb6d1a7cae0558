"""How like an answer is to its reference: in characters, and whether it is the same."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from sacrebleu.metrics.chrf import CHRF

if TYPE_CHECKING:
    from engine.results.prompts import Prompt

_SHORT = 40
"""Characters of a reference that is to be met exactly."""
_FINAL = ".!?。！？．"


@cache
def _metric() -> CHRF:
    """Make the metric with sacreBLEU's own settings: characters in sixes, recall counted twice."""
    return CHRF()


def chrf(answer: str, reference: str) -> float:
    """Score an answer by the characters that it shares with the reference, from 0 to 100."""
    return float(_metric().sentence_score(answer, [reference]).score)


def is_short(prompt: Prompt) -> bool:
    """Tell whether a reference is whole, one line, and so short that it is to be met exactly."""
    whole = not (prompt.cut or prompt.plain)
    return whole and 0 < len(prompt.reference) <= _SHORT and "\n" not in prompt.reference


def is_same(answer: str, reference: str) -> bool:
    """Tell whether two texts say the same, but for case, blanks, widths and a final sign."""
    return _folded(answer) == _folded(reference)


def _folded(text: str) -> str:
    """Leave out what does not count."""
    words = unicodedata.normalize("NFKC", text).casefold().split()
    return " ".join(words).rstrip(_FINAL).rstrip()
