"""What was found out about data and plans, and failures, as text to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.text import visible
from screens.format import LEVELS, hint_words

if TYPE_CHECKING:
    from engine.data.types import Finding
    from engine.errors import LoraDeckError

TONES = {
    "dim": "$muted", "run": "$text-primary", "good": "$text-success",
    "warn": "$text-warning", "bad": "$text-error",
}  # fmt: skip
"""A tone's style in running text."""


def finding_text(finding: Finding) -> Content:
    """Write a finding: its level by glyph and word, what it is, and what to do."""
    sign = LEVELS[finding.level]
    head = Content.styled(f"{sign.glyph} {sign.word} ", TONES[sign.tone])
    hint = f"\n  {visible(finding.hint)}" if finding.hint else ""
    return Content.assemble(head, visible(finding.message), (hint, "$muted"))


def error_text(error: LoraDeckError) -> Content:
    """Write a failure: title, sentence, what to do."""
    hint = f"\n{hint_words(error.hint)}" if error.hint else ""
    return Content.assemble(
        (f"✗ {visible(error.title)}\n", "bold $text-error"),
        visible(error.message),
        (hint, "$muted"),
    )
