"""Answers that teach little."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.data.checks.row_text import RowText

_SHORT = 2
_BLANKS = 8


def check_answer(row: RowText) -> Iterable[tuple[str, str]]:
    """Find answers of hardly a word, and those that only repeat the question."""
    if row.plain:
        return ()
    answer = row.answer
    if len(answer) > _BLANKS and abs(len(answer) - len(row.question)) > _BLANKS:
        return ()  # most rows: neither can hold, even with some blanks around
    answer = answer.strip()
    if answer == row.question.strip():
        return (("answer-is-question", ""),)
    if 0 < len(answer) <= _SHORT:
        return (("short-answer", ""),)
    return ()
