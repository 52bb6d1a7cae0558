"""One question to ask of base and adapter, taken from a row as it is trained."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from engine.results.prompts import first_answer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from engine.data.render import EncodedRow
    from engine.data.types import Conversation


class Sample(BaseModel):
    """A question with the answer that the dataset gives."""

    model_config = ConfigDict(frozen=True)

    prompt_ids: tuple[int, ...]
    """The tokens up to the first answer, as the model sees them in training."""
    question: str
    reference: str
    end_id: int
    """The token that ends the answer, as it is trained."""


def make_sample(conversation: Conversation, row: EncodedRow, tokenizer: Tokenizer) -> Sample:
    """Take the first question of a row that has a trained token; of a plain text, its beginning."""
    start, end = first_answer(row.labels)
    if conversation.plain:
        start += max(1, row.trained // 2)
    answer = row.labels[start:end]
    question = tokenizer.decode(row.input_ids[:start])
    if not conversation.plain:
        question = _question(conversation)
    return Sample(
        prompt_ids=tuple(row.input_ids[:start]),
        question=question,
        reference=tokenizer.decode(answer).strip(),
        end_id=answer[-1],
    )


def _question(conversation: Conversation) -> str:
    """Give what the user says before the assistant speaks first."""
    before = takewhile(lambda one: one.role != "assistant", conversation.messages)
    return next((one.content for one in reversed(list(before)) if one.role == "user"), "")
