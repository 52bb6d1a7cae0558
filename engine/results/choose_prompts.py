"""Chooses the rows whose first questions judge an adapter, and reads them once more."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.data.inspect import conversations
from engine.data.render import encode
from engine.results.prompts import LONGEST_REFERENCE, answer_range, make_prompt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from engine.data.template import ChatTemplate
    from engine.data.types import Shape
    from engine.results.prompts import Prompt

MOST = 16
_LOOKED_AT = 256
_FIRST_ROWS = 100_000
"""Rows from which they are taken, where these hold some: the file is read as far once more."""
_LONGEST_PROMPT = 1024
"""Tokens; longer ones are asked where there are no others."""


def candidates(
    numbers: NDArray[np.int64], judged: Sequence[int] | NDArray[np.int64], seed: int
) -> NDArray[np.int64]:
    """Draw the rows that are looked at.

    Args:
        numbers: Of each encoded row its place in the file.
        judged: The encoded rows that may be taken.
        seed: The same one draws the same rows.

    Returns:
        Some of ``judged``, in the order in which they were drawn.
    """
    rows = np.asarray(judged, dtype=np.int64)
    early = rows[numbers[rows] <= _FIRST_ROWS]
    among = early.tolist() if len(early) else rows[:_LOOKED_AT].tolist()
    chance = random.Random(seed)  # noqa: S311 - no secret
    return np.array(chance.sample(among, min(_LOOKED_AT, len(among))), dtype=np.int64)


def choose(rows: Iterable[dict[str, Any]], *, plain: bool) -> list[int]:
    """Choose those that are quickly asked and answered; give their numbers in the file, ascending.

    Args:
        rows: Encoded rows that were drawn.
        plain: Whether they are plain texts.
    """
    ranked: list[tuple[bool, int]] = []
    for row in rows:
        start, end = answer_range(row["labels"], plain=plain)
        if start:  # an answer that nothing goes before cannot be asked for
            long = end - start > LONGEST_REFERENCE or start > _LONGEST_PROMPT
            ranked.append((long, row["row"]))
    ranked.sort(key=lambda one: one[0])
    return sorted(number for _, number in ranked[:MOST])


def read_prompts(
    source: tuple[Path, Shape],
    chosen: Sequence[int],
    template: ChatTemplate,
    tokenizer: Tokenizer,
) -> Iterator[Prompt | None]:
    """Make the chosen rows' prompts; ``None`` for each other row, so that a reader can stop.

    Args:
        source: The dataset's file or folder, and how it is read.
        chosen: The rows' numbers in the file.
    """
    wanted = set(chosen)
    for conversation in conversations(*source) if wanted else ():
        if conversation.row in wanted:
            wanted.discard(conversation.row)
            yield make_prompt(conversation, encode(conversation, template, tokenizer), tokenizer)
        else:
            yield None
        if not wanted:
            return
