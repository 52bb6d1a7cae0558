"""Reads what llama.cpp says of an answer's tokens."""

from __future__ import annotations

import math
from typing import Any


def entries(made: dict[str, Any]) -> tuple[list[int], list[dict[str, Any] | None]]:
    """Give the tokens of an answer, and of each what was said of its likelihood.

    llama.cpp says nothing of tokens that end within a character.
    """
    said = iter([*made.get("completion_probabilities", []), None])
    entry, found = next(said), []
    for token in made["tokens"]:
        there = entry is not None and entry["id"] == token
        found.append(entry if there else None)
        entry = next(said) if there else entry
    return made["tokens"], found


def logprob_of(entry: dict[str, Any] | None, token: int) -> float | None:
    """Read how likely a token was at one place; ``None`` where that is not said."""
    if entry is None:
        return None
    rows = [entry, *entry["top_logprobs"]]
    # Of weights that overflow it computes no numbers, and JSON has none for that
    listed = {one["id"]: math.nan if one["logprob"] is None else one["logprob"] for one in rows}
    return float(listed.get(token, min(listed.values())))
