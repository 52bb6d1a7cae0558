"""The words of the checks' findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.language import mark

if TYPE_CHECKING:
    from engine.data.types import Level


@dataclass(frozen=True)
class Words:
    """How a finding is told."""

    level: Level
    headline: str
    """Follows ``3 rows``."""
    hint: str


WORDS = {
    "duplicate": Words(
        "warning",
        mark("repeating an earlier row"),
        mark("Delete the copies, unless they are meant to weigh more."),
    ),
    "near-duplicate": Words(
        "warning",
        mark("repeating an earlier row but for capitals, blanks or punctuation"),
        mark("Delete the copies, unless they are meant to weigh more."),
    ),
    "special-token-text": Words(
        "warning",
        mark("whose text holds special tokens of chat templates"),
        mark(
            "A model that knows such a token reads it as the end of a turn, not as "
            "words: take it out, or write it in another way."
        ),
    ),
    "rendered-already": Words(
        "note",
        mark("of plain text with special tokens of a chat template in it"),
        mark(
            "Such texts fit only models with that template: give the questions and "
            "answers in columns of their own, and each model gets its own template."
        ),
    ),
    "control-characters": Words(
        "warning",
        mark("with control characters"),
        mark(
            "They are invisible and rarely meant (ESC, NUL, marks that turn the "
            "reading direction): delete them."
        ),
    ),
    "mojibake": Words(
        "warning",
        mark("that look decoded with a wrong encoding"),
        mark(
            "The model would learn to write such signs: export the file again as "
            "UTF-8, or mend these rows."
        ),
    ),
    "answer-is-question": Words(
        "warning",
        mark("whose answer repeats the question"),
        mark("The model would learn to echo: write the answer, or delete the row."),
    ),
    "long-row": Words(
        "warning",
        mark("of more than 50,000 characters"),
        mark(
            "A row this long decides the memory of the whole run, or is cut: split it, "
            "or check that it is one row."
        ),
    ),
    "same-answer": Words(
        "note",
        mark("with one and the same answer"),
        mark("The model will mostly give this answer: check that this is meant."),
    ),
    "different-answers": Words(
        "note",
        mark("asking an earlier question, with another answer"),
        mark("Good where answers are meant to vary; else keep the best one."),
    ),
    "short-answer": Words(
        "note",
        mark("with an answer of one or two characters"),
        mark("Right for labels and choices; otherwise check that the answers are whole."),
    ),
    "template-leftover": Words(
        "note",
        mark("with headings of a prompt template in their text"),
        mark(
            "Headings such as ### Response: come on top of the model's own template: "
            "take them out of the text."
        ),
    ),
    "assistant-phrase": Words(
        "note",
        mark("in which the answer speaks as an AI language model"),
        mark(
            "The model would learn the phrase from another assistant: rewrite the "
            "answer if it should not."
        ),
    ),
}
"""By code; more serious ones first, which is the order in which they are told."""
