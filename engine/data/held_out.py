"""Choose the rows to evaluate on so that none of them is trained on in other words."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def held_out(keys: Sequence[int], count: int, seed: int) -> list[int]:
    """Choose evaluation rows among those that no other row repeats.

    Args:
        keys: A key for each row that can train, in order: equal where rows say the same.
        count: How many rows are wanted.
        seed: The same seed chooses the same rows.

    Returns:
        Indexes into ``keys``, ascending. Where there are too few unique rows, repeated ones fill
        up; ``overlaps`` counts what that costs.
    """
    times = Counter(keys)
    unique = [index for index, key in enumerate(keys) if times[key] == 1]
    chance = random.Random(seed)  # noqa: S311 - no secret
    if len(unique) >= count:
        return sorted(chance.sample(unique, count))
    repeated = [index for index, key in enumerate(keys) if times[key] > 1]
    missing = min(count - len(unique), len(repeated))
    return sorted([*unique, *chance.sample(repeated, missing)])


def overlaps(keys: Sequence[int], chosen: Sequence[int]) -> int:
    """Count the evaluation rows that a training row repeats; capitals and the like apart."""
    evaluation = set(chosen)
    trained = {key for index, key in enumerate(keys) if index not in evaluation}
    return sum(keys[index] in trained for index in chosen)
