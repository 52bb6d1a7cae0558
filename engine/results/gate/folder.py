"""Asks a merged model's folder, through its own tokenizer, template and generation settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.data.model_files import end_ids, generation_settings
from engine.language import listed, tr
from engine.results.export.loading import load_folder_tokenizer, load_model
from engine.results.gate.speaker import Speaker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from transformers import PreTrainedTokenizerBase

    from engine.results.gate.speech import Heard, Reference
    from engine.results.prompts import Prompt

_Fault = tuple[str, str, str]
"""What is wrong, what should have been there, and what was."""


def hear_folder(
    folder: Path,
    references: Sequence[Reference],
    ends: Sequence[int],
    tell: Callable[[float], None],
) -> list[Heard]:
    """Ask a merged model as any program that loads its folder does.

    Args:
        folder: With configuration, weights, tokenizer, template and settings.
        references: What the adapter says.
        ends: The tokens that end an answer.
        tell: Called with the share that is done.
    """
    tokenizer = load_folder_tokenizer(folder)
    settings = generation_settings(folder)
    heard = Speaker(load_model(folder), tokenizer, ends, tell).hear(references)
    faults = (
        _prompted(one.prompt, tokenizer) or _ended(one.prompt, settings, tokenizer)
        for one in references
    )
    return [
        replace(one, fault=fault[0], expected=fault[1], found=fault[2]) if fault else one
        for one, fault in zip(heard, faults, strict=True)
    ]


def _prompted(prompt: Prompt, tokenizer: PreTrainedTokenizerBase) -> _Fault | None:
    """Find out whether the folder makes other tokens of a prompt than were trained."""
    text = prompt.text
    if prompt.messages:
        if not tokenizer.chat_template:
            return tr("The folder holds no chat template."), text, ""
        turns = [one.model_dump() for one in prompt.messages]
        text = str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
        if text != prompt.text:
            return tr("Its chat template renders the prompt otherwise."), prompt.text, text
    split = [
        tuple(tokenizer(text, add_special_tokens=special)["input_ids"]) for special in (False, True)
    ]
    if prompt.prompt_ids in (split[:1] if prompt.messages else split):
        return None
    ours, theirs = (" ".join(map(str, row)) for row in (prompt.prompt_ids, split[0]))
    return tr("Its tokenizer splits the prompt into other tokens."), ours, theirs


def _ended(
    prompt: Prompt, settings: dict[str, Any], tokenizer: PreTrainedTokenizerBase
) -> _Fault | None:
    """Find out whether the folder's settings end an answer where the adapter does."""
    ends = end_ids(settings)
    if prompt.end_id < 0 or prompt.end_id in ends:
        return None
    end = str(tokenizer.convert_ids_to_tokens(prompt.end_id))
    return (
        tr("Its generation settings do not end an answer where the adapter does."),
        end,
        listed(map(str, ends)),
    )
