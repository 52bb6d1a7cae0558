"""Words that a prompt template or another assistant left in the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.data.checks.row_text import RowText

_HEADING = re.compile(r"###\s?(?:Instruction|Response|Input|Output|Human|Assistant|User|System)\b")
_PHRASE = re.compile(r"\b[Aa]s an? (?:large )?(?:AI )?(?:language )?model\b")


def check_leftovers(row: RowText) -> Iterable[tuple[str, str]]:
    """Find headings such as ``### Response:`` and phrases of other assistants."""
    found: list[tuple[str, str]] = []
    if "###" in row.text and (heading := _HEADING.search(row.text)):
        found.append(("template-leftover", tr("it holds {text}", text=heading.group())))
    if "s a" in row.answer and not row.plain and _speaks_as_model(row.answer):
        found.append(("assistant-phrase", ""))
    return found


def _speaks_as_model(answer: str) -> bool:
    """Tell whether an answer says that it comes from an AI language model."""
    if "anguage model" not in answer and "AI model" not in answer:
        return False
    return _PHRASE.search(answer) is not None
