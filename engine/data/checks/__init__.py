"""Checks of rows that can train: what would teach the model something that nobody meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.checks.answers import check_answer
from engine.data.checks.characters import check_characters
from engine.data.checks.leftovers import check_leftovers
from engine.data.checks.row_text import RowText
from engine.data.checks.sizes import check_size
from engine.data.checks.special_tokens import check_special_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.data.types import Conversation

CHECKS_VERSION = 1
"""Part of the cache's key: raise it whenever a check, a measure or the reading of rows changes."""

Mark = tuple[str, str]
"""A finding's code, and a clause on the row."""

ROW_CHECKS: tuple[Callable[[RowText], Iterable[Mark]], ...] = (
    check_special_tokens,
    check_characters,
    check_answer,
    check_leftovers,
    check_size,
)
"""Those that look at one row alone."""


def row_codes(conversation: Conversation) -> tuple[str, ...]:
    """Give the codes of the findings that one row bears by itself."""
    row = RowText(conversation)
    return tuple(code for check in ROW_CHECKS for code, _ in check(row))
