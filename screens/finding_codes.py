"""The kinds of findings that a row can bear, as words."""

from __future__ import annotations

from engine.language import mark, tr
from screens.format import one_line

WORDS = frozenset(
    {
        # What keeps a row from training
        mark("bad tools"),
        mark("broken json"),
        mark("broken text"),
        mark("empty answer"),
        mark("empty question"),
        mark("empty text"),
        mark("media"),
        mark("no answer"),
        mark("no question"),
        mark("no rejected"),
        mark("not an object"),
        mark("other shape"),
        mark("same answers"),
        mark("tool order"),
        mark("too deep"),
        mark("too large"),
        mark("unknown role"),
        mark("unwanted"),
        mark("wrong order"),
        mark("wrong type"),
        # What one should look at
        mark("answer is question"),
        mark("assistant phrase"),
        mark("control characters"),
        mark("different answers"),
        mark("duplicate"),
        mark("long row"),
        mark("mojibake"),
        mark("near duplicate"),
        mark("rendered already"),
        mark("same answer"),
        mark("short answer"),
        mark("special token text"),
        mark("template leftover"),
    }
)


def code_words(code: str) -> str:
    """Write a finding's code as words: ``empty answer``."""
    return tr(one_line(code).replace("-", " "))
