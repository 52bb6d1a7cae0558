"""Which prompts the gate asks: those kept beside the adapter, else some of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import LoraDeckError, NotFoundError
from engine.results.chat.types import ChatMessage
from engine.results.prompts import Prompt, load_prompts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from transformers import PreTrainedTokenizerBase

MOST = 8
LONGEST = 1024
"""Tokens; longer prompts are passed over where there are shorter ones."""
_GENERAL = (
    "What is the capital of France?",
    "Write one sentence about the sea.",
    "What is 12 plus 30?",
    "List three colours.",
    "Translate into French: good morning.",
    "Why is the sky blue?",
)
"""For adapters of other programs, of which it is not known what they were trained on."""


def choose_prompts(folder: Path, tokenizer: PreTrainedTokenizerBase) -> tuple[Prompt, ...]:
    """Choose what to ask an adapter.

    Args:
        folder: The adapter's.
        tokenizer: Its tokenizer, with the chat template that it was trained on, if it has one.

    Raises:
        LoraDeckError: The prompts that are kept with it are damaged, or of another tokenizer.
    """
    try:
        kept = load_prompts(folder)
    except NotFoundError:
        kept = ()
    if kept:
        return _fitting(kept, len(tokenizer))
    return tuple(_general(question, tokenizer) for question in _GENERAL)


def _fitting(kept: Sequence[Prompt], vocabulary: int) -> tuple[Prompt, ...]:
    """Take the first of bearable length; else the shortest."""
    if any(not one.prompt_ids or max(one.prompt_ids) >= vocabulary for one in kept):
        raise LoraDeckError(
            "Prompts of another model",
            "The prompts kept with the adapter do not fit its tokenizer.",
            "Remove prompts.json from its folder to have it asked general ones.",
        )
    short = [one for one in kept if len(one.prompt_ids) <= LONGEST]
    return tuple(short or sorted(kept, key=lambda one: len(one.prompt_ids))[:1])[:MOST]


def _general(question: str, tokenizer: PreTrainedTokenizerBase) -> Prompt:
    """Render a question with a template, where there is one, as a program would."""
    text, messages = question, [ChatMessage(role="user", content=question)]
    if tokenizer.chat_template:
        plain = [one.model_dump() for one in messages]
        text = tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    else:
        ids, messages = tokenizer(question)["input_ids"], []
    end = tokenizer.eos_token_id
    return Prompt(
        messages=tuple(messages),
        text=str(text),
        prompt_ids=tuple(ids),
        question=question,
        reference="",
        end_id=-1 if end is None else end,
    )
