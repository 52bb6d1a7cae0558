"""Which prompts the gate asks: those kept beside the adapter, else some of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError, NotFoundError
from engine.language import tr
from engine.results.chat.types import ChatMessage
from engine.results.prompts import Prompt, load_prompts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from transformers import PreTrainedTokenizerBase

MOST = 8
_DATE = "strftime_now"
"""What a template calls to tell the model the date."""
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
    if not kept:
        return tuple(_general(question, tokenizer) for question in _GENERAL)
    asked = _fitting(kept, len(tokenizer))
    if _DATE in (tokenizer.chat_template or ""):
        return tuple(_today(one, tokenizer) for one in asked)
    return asked


def _fitting(kept: Sequence[Prompt], vocabulary: int) -> tuple[Prompt, ...]:
    """Take the first of bearable length; else the shortest."""
    if any(not one.prompt_ids or max(one.prompt_ids) >= vocabulary for one in kept):
        raise LoraDeckError(
            tr("Prompts of another model"),
            tr("The prompts kept with the adapter do not fit its tokenizer."),
            tr("Remove prompts.json from its folder to have it asked general ones."),
        )
    short = [one for one in kept if len(one.prompt_ids) <= LONGEST]
    return tuple(short or sorted(kept, key=lambda one: len(one.prompt_ids))[:1])[:MOST]


def _today(prompt: Prompt, tokenizer: PreTrainedTokenizerBase) -> Prompt:
    """Render a prompt with the present date, where its template tells the model the date.

    Any program renders it so today; the date of the training is only that of its row.
    """
    return (
        prompt.model_copy(update=_render(prompt.messages, tokenizer)) if prompt.messages else prompt
    )


def _render(messages: Sequence[ChatMessage], tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """Render turns up to the beginning of the answer, and split what comes out."""
    plain = [one.model_dump() for one in messages]
    text = str(tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=True))
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return {"text": text, "prompt_ids": tuple(ids)}


def _general(question: str, tokenizer: PreTrainedTokenizerBase) -> Prompt:
    """Render a question with a template, where there is one, as a program would."""
    messages = [ChatMessage(role="user", content=question)] if tokenizer.chat_template else []
    plain = {"text": question, "prompt_ids": tuple(tokenizer(question)["input_ids"])}
    end = tokenizer.eos_token_id
    return Prompt(
        messages=tuple(messages),
        **(_render(messages, tokenizer) if messages else plain),
        question=question,
        reference="",
        end_id=-1 if end is None else end,
    )
