"""Rows like Alpaca's, by seeded templates: written for this benchmark, free of anyone's rights.

With SmolLM2's chat template a row has 60 to 512 tokens and some 250 on average; a third of the
rows have an input, as in Alpaca.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SHORTEST, _LONGEST = 20, 435
"""Words of a row: SmolLM2 writes them in some 1.07 tokens each, and the template takes 35."""
_SKEW = (1.5, 2.0)
"""Of the beta distribution that lengths are drawn from: many short rows, a tail of long ones."""
_INPUT_SHARE = 0.35

_TOPICS = (
    "a small vegetable garden", "the night train", "a village library", "baking rye bread",
    "repairing an old bicycle", "a rooftop weather station", "keeping bees", "a harbour festival",
    "learning to sketch", "a walk along the coast", "a shared workshop", "brewing green tea",
    "a first week at work", "mending clothes", "a neighbourhood choir", "planning a budget",
    "a mountain hut", "recycling paper", "a chess club", "teaching children to swim",
)  # fmt: skip
_ASKS = (
    "Explain to a beginner what matters most about {topic}.",
    "Write a short text about {topic}.",
    "List useful advice on {topic}.",
    "Compare two ways of thinking about {topic}.",
    "Describe a typical day that has to do with {topic}.",
    "What should somebody know before starting with {topic}?",
)
_ASKS_WITH_INPUT = (
    "Summarize the following notes on {topic}.",
    "Rewrite this text about {topic} so that it sounds friendlier.",
    "Answer the reader's letter about {topic}.",
)
_WISHES = (
    "", "", " Be brief.", " Write for children.", " Keep a friendly tone.", " Use plain words.",
    " Give examples.", " Do not use lists.", " Think of the costs, too.", " Begin with a summary.",
)  # fmt: skip
_WHO = (
    "a careful beginner", "the oldest member", "my neighbour", "an old guide", "the teacher",
    "a curious visitor", "the whole group", "somebody with little time", "a patient friend",
)  # fmt: skip
_DOES = (
    "checks the tools before anything else", "keeps a list of what went wrong",
    "asks for help early rather than late", "starts with the smallest possible step",
    "writes down the time and the weather", "leaves room for a mistake or two",
    "compares the plan with what is really there", "shares the work with two others",
    "takes a break before the difficult part", "puts everything back in its place",
    "measures twice and decides once", "tries the cheap way before the dear one",
)  # fmt: skip
_WHEN = (
    "in the early morning", "once a week", "after the first attempt", "when the season changes",
    "before guests arrive", "on a rainy afternoon", "at the end of the month", "with some patience",
    "without much money", "as soon as the light is good",
)  # fmt: skip
_WHY = (
    "because small faults grow quickly", "since nobody remembers every detail",
    "which saves both time and money", "so that the next person finds it easy",
    "and that makes the result last longer", "although it looks slow at first",
    "for it is easier to prevent than to repair", "which most books forget to mention",
)  # fmt: skip
_LINKS = ("", "", "", "Then ", "Usually ", "In short, ", "Of course, ", "Later on, ")


def alpaca_like(rows: int, seed: int = 0) -> list[dict[str, str]]:
    """Make rows with ``instruction``, ``input`` and ``output``; no two are the same."""
    random_ = random.Random(seed)  # noqa: S311 - not for secrets
    return [_row(random_) for _ in range(rows)]


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write rows as JSONL."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def prose(random_: random.Random, words: int, topic: str) -> str:
    """Write sentences on a topic, of so many words or a few less; at least one sentence."""
    sentences = [_sentence(random_, topic)]
    count = len(sentences[0].split())
    while (count := count + len((more := _sentence(random_, topic)).split())) <= words:
        sentences.append(more)
    return " ".join(sentences)


def _row(random_: random.Random) -> dict[str, str]:
    """Draw a length, then fill it."""
    words = _SHORTEST + int((_LONGEST - _SHORTEST) * random_.betavariate(*_SKEW))
    topic = random_.choice(_TOPICS)
    with_input = words > 80 and random_.random() < _INPUT_SHARE
    asks = _ASKS_WITH_INPUT if with_input else _ASKS
    instruction = random_.choice(asks).format(topic=topic) + random_.choice(_WISHES)
    given = prose(random_, words // 3, topic) if with_input else ""
    left = words - len(instruction.split()) - len(given.split())
    return {"instruction": instruction, "input": given, "output": prose(random_, left, topic)}


def _sentence(random_: random.Random, topic: str) -> str:
    """Write a sentence; one in three names the topic."""
    link, who, does = random_.choice(_LINKS), random_.choice(_WHO), random_.choice(_DOES)
    start = f"{link}{who}"
    about = f" when it comes to {topic}" if random_.random() < 1 / 3 else ""
    end = random_.choice((f" {random_.choice(_WHEN)}", f", {random_.choice(_WHY)}", ""))
    return f"{start[0].upper()}{start[1:]} {does}{about}{end}."
