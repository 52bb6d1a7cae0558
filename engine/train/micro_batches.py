"""Splits the rows of one optimizer step into forward passes, by a budget of tokens."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_CANDIDATES = 64
"""The longest rows among which a pass is filled, for each row of a step: not all of a million."""


def split(lengths: Sequence[int], budget: int, *, packed: bool) -> list[list[int]]:
    """Share rows out among as few passes as their tokens allow, longest first.

    Args:
        lengths: Tokens of each row.
        budget: Tokens in one pass, padding included; a longer row goes alone.
        packed: Whether rows lie end to end; else all of a pass are padded to its longest.

    Returns:
        Indexes of the rows of each pass; every row is in one of them.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    passes: list[list[int]] = []
    for index in order:
        fitting = (one for one in passes if _cost(lengths, [*one, index], packed=packed) <= budget)
        chosen = next(fitting, None)
        if chosen is None:
            passes.append([index])
        else:
            chosen.append(index)
    return passes


def longest(lengths: Sequence[int], budget: int, rows: int, *, packed: bool) -> list[int]:
    """Choose the rows of the most demanding pass that a step of so many rows could be given."""
    candidates = heapq.nlargest(_CANDIDATES * rows, range(len(lengths)), key=lengths.__getitem__)
    chosen = candidates[:1]
    for index in candidates[1:]:
        if len(chosen) == rows:
            break
        if _cost(lengths, [*chosen, index], packed=packed) <= budget:
            chosen.append(index)
    return chosen


def _cost(lengths: Sequence[int], rows: Sequence[int], *, packed: bool) -> int:
    """Count the tokens of a pass; its first row is its longest."""
    return sum(lengths[row] for row in rows) if packed else lengths[rows[0]] * len(rows)
