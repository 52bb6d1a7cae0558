"""What was found out about data and plans, and failures, as text to show."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from textual.content import Content

from engine.language import tr, trn
from engine.text import visible
from screens.format import LEVELS, hint_words

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    head = Content.styled(f"{sign.glyph} {tr(sign.word)} ", TONES[sign.tone])
    hint = f"\n  {visible(finding.hint)}" if finding.hint else ""
    return Content.assemble(head, visible(finding.message), (hint, "$muted"))


def counted(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """Count the findings of each level, by glyph and word, each with its style."""
    counts: Counter[str] = Counter(finding.level for finding in findings)
    return [
        (f"{sign.glyph} {_count_words(level, counts[level])}", TONES[sign.tone])
        for level, sign in LEVELS.items()
        if counts[level]
    ]


def nothing_text() -> Content:
    """Say that nothing was found."""
    return Content.styled(tr("✓ nothing to object to"), "$text-success")


def _count_words(level: str, count: int) -> str:
    """Say how many findings of a level there are."""
    if level == "error":
        return trn("{count} error", "{count} errors", count)
    if level == "warning":
        return trn("{count} warning", "{count} warnings", count)
    return trn("{count} note", "{count} notes", count)


def error_text(error: LoraDeckError) -> Content:
    """Write a failure: title, sentence, what to do."""
    hint = f"\n{hint_words(error.hint)}" if error.hint else ""
    return Content.assemble(
        (f"✗ {visible(error.title)}\n", "bold $text-error"),
        visible(error.message),
        (hint, "$muted"),
    )
