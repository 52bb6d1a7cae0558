"""Rows of a size that hardly anyone means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.types import Finding
from engine.language import tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.data.checks.row_text import RowText

LONG = 50_000
"""Characters; some 12,000 tokens of English, more than most models are tuned on."""
_FEW_ROWS = 50


def check_size(row: RowText) -> Iterable[tuple[str, str]]:
    """Find rows that are suspiciously long."""
    if row.characters <= LONG:
        return ()
    return (("long-row", tr("it has {characters:,} characters", characters=row.characters)),)


def few_rows(count: int) -> list[Finding]:
    """Note that a short dataset is learnt by heart rather than generalised from."""
    if count >= _FEW_ROWS:
        return []
    message = trn("The dataset has only {count} row.", "The dataset has only {count} rows.", count)
    hint = tr("The model will know them by heart: good for a few facts; a skill wants hundreds.")
    return [
        Finding(level="note", code="few-rows", message=message, hint=hint, count=count, rows=())
    ]
