"""Does the adapter end its answers? Asked on rows it was not trained on, where there are any."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import torch

from engine.results.prompts import first_answer
from engine.tasks.events import StopTested

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

_ASKED = 4
_LOOKED_AT = 64
_LONGEST_REFERENCE = 128
_ROOM = 32
"""Tokens by which an answer may be longer than the longest of the references."""


def stop_test(
    model: PeftModel, tokenizer: PreTrainedTokenizerBase, rows: Iterable[dict[str, Any]]
) -> StopTested | None:
    """Let the adapter answer some rows' first questions, greedily and all at once.

    Args:
        model: In evaluation mode.
        rows: Encoded rows.

    Returns:
        How many answers ended by themselves; ``None`` where no row has a question.
    """
    asked = list(islice(_questions(islice(rows, _LOOKED_AT)), _ASKED))
    if not asked:
        return None
    limit = max(reference for _, reference in asked) + _ROOM
    width = max(len(prompt) for prompt, _ in asked)
    pad = tokenizer.pad_token_id or 0
    prompts = torch.tensor([[pad] * (width - len(prompt)) + prompt for prompt, _ in asked])
    seen = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt, _ in asked])
    with torch.inference_mode():
        answers = model.generate(
            input_ids=prompts.to(model.device),
            attention_mask=seen.to(model.device),
            max_new_tokens=limit,
            do_sample=False,
            pad_token_id=pad,
        )[:, width:]
    ends = _end_tokens(model)
    ended = sum(bool(ends & set(answer.tolist())) for answer in answers)
    return StopTested(asked=len(asked), ended=ended, limit=limit)


def end_at(model: PeftModel, token: int) -> None:
    """Let generation end at the token that answers were trained to end with.

    A base model's settings often know its own end of text alone: the adapter would end each
    answer and talk on.
    """
    if token not in (ends := _end_tokens(model)):
        model.generation_config.eos_token_id = [*sorted(ends), token]


def _end_tokens(model: PeftModel) -> set[int]:
    """Give the tokens at which the model's generation ends."""
    ends = model.generation_config.eos_token_id
    if ends is None:
        return set()
    return set(ends) if isinstance(ends, list) else {ends}


def _questions(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[list[int], int]]:
    """Give each row's tokens up to its first answer, and how many tokens that answer has."""
    for row in rows:
        start, end = first_answer(row["labels"])
        if start and end - start <= _LONGEST_REFERENCE:
            yield row["input_ids"][:start], end - start
