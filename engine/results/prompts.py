"""The prompts that judge an adapter, kept beside it: its dataset may be gone later."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from engine.data.render import NOT_TRAINED
from engine.errors import LoraDeckError, NotFoundError
from engine.files import read_plain, write_atomic
from engine.language import tr
from engine.results.chat.types import ChatMessage
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tokenizers import Tokenizer

    from engine.data.render import EncodedRow
    from engine.data.types import Conversation

PROMPTS = "prompts.json"
"""In a task's folder, and beside its adapter."""
LONGEST_REFERENCE = 128
"""Tokens of an answer that are asked for; what a longer one goes on with is left out."""

_LONGEST_BEGINNING = 256
"""Tokens of a plain text that it is to be gone on from."""


class Prompt(BaseModel):
    """A question as the model was trained to see it, with the answer that the dataset gives."""

    model_config = ConfigDict(frozen=True)

    messages: tuple[ChatMessage, ...] = ()
    """The turns before the answer; empty where they alone do not make ``text``: for plain text,
    with functions, and where the template has no system turn."""
    text: str
    """The rendered prompt, as the tokenizer got it."""
    prompt_ids: tuple[int, ...]
    """The tokens of ``text``."""
    question: str
    """What the user says last; of a plain text, its beginning."""
    reference: str
    plain: bool = False
    """Whether it is the beginning of a plain text, which the reference goes on with."""
    cut: bool = False
    """Whether the reference is only the beginning of the answer."""
    end_id: int
    """The token that ends the answer, as it is trained."""


_PROMPTS = TypeAdapter(tuple[Prompt, ...])


def save_prompts(folder: Path, prompts: Sequence[Prompt]) -> None:
    """Write prompts to a folder."""
    write_atomic(folder / PROMPTS, _PROMPTS.dump_json(tuple(prompts)))


def load_prompts(folder: Path) -> tuple[Prompt, ...]:
    """Read the prompts of a folder; there may be none in them.

    Raises:
        NotFoundError: It has none: another program made the adapter, or an older version.
        LoraDeckError: They are damaged.
    """
    name = visible(folder.name)
    try:
        return _PROMPTS.validate_json(read_plain(folder / PROMPTS))
    except FileNotFoundError:
        raise NotFoundError(
            tr("No prompts"),
            tr("'{name}' keeps no prompts that it could be judged by.", name=name),
            tr("Adapters that LoRADeck trains have them: train it again, or further."),
        ) from None
    except (OSError, ValueError, ValidationError, LoraDeckError) as error:
        raise LoraDeckError(
            tr("Prompts not readable"),
            tr(
                "{file} of '{name}' is damaged: {reason}",
                file=PROMPTS,
                name=name,
                reason=visible(str(error)).splitlines()[0],
            ),
            tr("Remove that file to have it asked general questions, or train it again."),
        ) from error


def make_prompt(conversation: Conversation, row: EncodedRow, tokenizer: Tokenizer) -> Prompt:
    """Take the first question of a row; of a plain text, its beginning.

    Args:
        row: Whole, however long: the end of a cut answer would be any token.
    """
    start, end = answer_range(row.labels, plain=conversation.plain)
    text, answer = row.text[: row.offsets[start - 1][1]], row.labels[start:end]
    turns = tuple(takewhile(lambda one: one.role != "assistant", conversation.messages))
    altered = conversation.plain or conversation.tools or row.system_folded or row.tools_folded
    # A template may let whitespace follow its end-of-turn token
    said = (at for at in range(end - 1, start - 1, -1) if row.text[slice(*row.offsets[at])].strip())
    return Prompt(
        messages=()
        if altered
        else tuple(
            ChatMessage.model_validate({"role": one.role, "content": one.content}) for one in turns
        ),
        text=text,
        prompt_ids=tuple(row.input_ids[:start]),
        question=text
        if conversation.plain
        else next((one.content for one in reversed(turns) if one.role == "user"), ""),
        reference=tokenizer.decode(answer[:LONGEST_REFERENCE]).strip(),
        plain=conversation.plain,
        cut=len(answer) > LONGEST_REFERENCE,
        end_id=row.labels[next(said, end - 1)],
    )


def answer_range(labels: Sequence[int], *, plain: bool) -> tuple[int, int]:
    """Give where a row's first answer begins and ends; of a plain text, what follows its beginning.

    That is its first half, or less of a long one.
    """
    start, end = first_answer(labels)
    beginning = max(1, min((end - start) // 2, _LONGEST_BEGINNING)) if plain else 0
    return start + beginning, end


def first_answer(labels: Sequence[int]) -> tuple[int, int]:
    """Give where a row's first trained tokens begin, and where they end."""
    start = next(at for at, label in enumerate(labels) if label != NOT_TRAINED)
    return start, start + sum(1 for _ in takewhile(NOT_TRAINED.__ne__, labels[start:]))
