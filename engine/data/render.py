"""Turn a conversation into tokens, with the trained ones marked: for preview and trainer alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.data.spans import find_turns
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Tokenizer

    from engine.data.template import ChatTemplate
    from engine.data.types import Conversation

NOT_TRAINED = -100
"""The label that the loss leaves out."""


@dataclass(frozen=True)
class EncodedRow:
    """One dataset row as the model gets it."""

    row: int
    text: str
    """The rendered conversation, whole even where the tokens are cut."""
    input_ids: list[int]
    labels: list[int]
    """As ``input_ids`` where trained, ``NOT_TRAINED`` elsewhere."""
    offsets: list[tuple[int, int]]
    """Start and end of each token in ``text``, in characters."""
    spans: tuple[tuple[int, int], ...]
    """Start and end of each answer with its end-of-turn token, in characters."""
    end_trained: bool
    """Whether the last answer's last trained token is an end token: eos or another special one."""

    @property
    def trained(self) -> int:
        """Count the tokens that the loss is computed on."""
        return len(self.labels) - self.labels.count(NOT_TRAINED)


def encode(conversation: Conversation, template: ChatTemplate, tokenizer: Tokenizer) -> EncodedRow:
    """Render and tokenize a row; its answers and their end-of-turn tokens are trained.

    Raises:
        LoraDeckError: The template fails on this row or hides an answer; names the row.
    """
    try:
        turns = find_turns(conversation.messages, template)
    except LoraDeckError as error:
        message = f"Row {conversation.row}: {error.message}"
        raise LoraDeckError(error.title, message, error.hint) from None
    # The template writes BOS and EOS itself: no token is added a second time
    encoding = tokenizer.encode(turns.text, add_special_tokens=False)
    input_ids, offsets = encoding.ids, encoding.offsets
    labels = _labels(turns.text, input_ids, offsets, turns.spans)
    return EncodedRow(
        row=conversation.row,
        text=turns.text,
        input_ids=input_ids,
        labels=labels,
        offsets=offsets,
        spans=turns.spans,
        end_trained=_end_trained(labels, offsets, turns.spans, template, tokenizer),
    )


def cut(row: EncodedRow, max_length: int) -> EncodedRow:
    """Drop the tokens beyond ``max_length``."""
    if len(row.input_ids) <= max_length:
        return row
    dropped = row.labels[max_length:]
    return replace(
        row,
        input_ids=row.input_ids[:max_length],
        labels=row.labels[:max_length],
        offsets=row.offsets[:max_length],
        end_trained=row.end_trained and dropped.count(NOT_TRAINED) == len(dropped),
    )


def _labels(
    text: str,
    input_ids: Sequence[int],
    offsets: Sequence[tuple[int, int]],
    spans: Sequence[tuple[int, int]],
) -> list[int]:
    """Label the tokens inside the spans; both lists ascend, so one walk serves."""
    labels = [NOT_TRAINED] * len(input_ids)
    remaining = iter(spans)
    span = next(remaining, None)
    for index, (start, end) in enumerate(offsets):
        while span is not None and start >= span[1]:
            span = next(remaining, None)
        if span is None:
            break
        if end > max(start, span[0]) and _only_space_outside(text, start, end, span):
            labels[index] = input_ids[index]
    return labels


def _only_space_outside(text: str, start: int, end: int, span: tuple[int, int]) -> bool:
    """Tell whether a token lies in a span but for whitespace that its tokenizer joined to it."""
    if span[0] <= start and end <= span[1]:
        return True
    return not (text[start : span[0]] + text[span[1] : end]).strip()


def _end_trained(
    labels: Sequence[int],
    offsets: Sequence[tuple[int, int]],
    spans: Sequence[tuple[int, int]],
    template: ChatTemplate,
    tokenizer: Tokenizer,
) -> bool:
    """Tell whether the last trained token ends the last answer and is an end token."""
    last = next((i for i in range(len(labels) - 1, -1, -1) if labels[i] != NOT_TRAINED), None)
    if last is None or offsets[last][1] < spans[-1][1]:
        return False
    token = labels[last]
    if tokenizer.id_to_token(token) == template.eos_token:
        return True
    # Decoding drops the special tokens, and only those
    kept = tokenizer.decode([token], skip_special_tokens=True)
    return not kept and bool(tokenizer.decode([token], skip_special_tokens=False))
