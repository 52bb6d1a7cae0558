"""What an adapter says to the gate's prompts, and what another form of it says after that."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.results.prompts import Prompt


@dataclass(frozen=True)
class Reference:
    """The adapter's greedy answer to one prompt, on its base as it was before any training."""

    prompt: Prompt
    answer: tuple[int, ...]
    """Its tokens, the one that ends it included, if it ended within the gate's length."""
    logprobs: tuple[float, ...]
    """The natural log-probability of each token after those before it."""
    margins: tuple[float, ...]
    """By how much each is likelier than the next best token."""
    text: str
    """The answer as it is read, without special tokens."""
    reaches: tuple[int, ...]
    """How many characters of ``text`` are there with each token."""
    ended: bool
    """Whether it ended by itself."""


@dataclass(frozen=True)
class Heard:
    """What a form of the adapter makes of one reference."""

    likeliest: tuple[bool, ...]
    """Whether it finds each of the adapter's tokens the likeliest, after those before it."""
    logprobs: tuple[float | None, ...]
    """Its log-probability of each; ``None`` where it does not say, and at most this where it lists
    the likeliest tokens alone."""
    text: str
    """Its own greedy answer, as far as the adapter's is long."""
    fault: str = ""
    """What is wrong before a word is said: another rendering of the prompt, for example."""
    expected: str = ""
    found: str = ""
    """Where there is a fault: what should have been there, and what was."""


def heard_text(reference: Reference, text: str) -> Heard:
    """Judge an answer of which nothing is known but its text, as another program gives it.

    Tokens agree as far as the texts do; there are no log-probabilities.
    """
    own = text.strip()
    same = _common(reference.text, own)
    whole = own == reference.text
    agree = tuple(whole or reach <= same for reach in reference.reaches)
    return Heard(likeliest=agree, logprobs=(), text=own)


def _common(one: str, other: str) -> int:
    """Give how many characters two texts have in common from the beginning."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
