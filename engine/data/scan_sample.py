"""The rows that are kept for tokenizing: all of a small file, an even chance for each of a large
one."""

from __future__ import annotations

import heapq
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.data.types import Conversation

LIMIT_ROWS = 20_000
LIMIT_CHARACTERS = 4_000_000
"""What a tokenizer manages in a few seconds on one core."""
_SEED = 20_261_124


class Reservoir:
    """A uniform sample within limits of rows and characters, and the longest row beside it.

    Each row draws a number, and those with the smallest stay: as many as fit. The same rows give
    the same sample.
    """

    def __init__(
        self, limit_rows: int = LIMIT_ROWS, limit_characters: int = LIMIT_CHARACTERS
    ) -> None:
        self._limits = limit_rows, limit_characters
        self._chance = random.Random(_SEED)  # noqa: S311 - no secret
        self._heap: list[tuple[float, int, int, Conversation]] = []
        self._characters = 0
        self._bound = -1.0
        self._longest: tuple[int, Conversation] | None = None

    def add(self, conversation: Conversation, characters: int) -> None:
        """Look at the next row."""
        if self._longest is None or characters > self._longest[0]:
            self._longest = characters, conversation
        draw = -self._chance.random()
        if draw < self._bound:
            return
        heapq.heappush(self._heap, (draw, conversation.row, characters, conversation))
        self._characters += characters
        rows, most = self._limits
        while len(self._heap) > rows or (self._characters > most and len(self._heap) > 1):
            self._bound, _, size, _ = heapq.heappop(self._heap)
            self._characters -= size

    def rows(self) -> list[Conversation]:
        """Give the sample in the order of the file."""
        by_row = {one.row: one for _, _, _, one in self._heap}
        if self._longest is not None:
            by_row[self._longest[1].row] = self._longest[1]
        return [by_row[row] for row in sorted(by_row)]

    @property
    def drawn(self) -> set[int]:
        """The numbers of the rows that were drawn by chance: the longest may not be one."""
        return {row for _, row, _, _ in self._heap}
