"""Turn a conversation into tokens, with the trained ones marked: for preview and trainer alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from engine.data.model_files import special_texts
from engine.data.turns import find_turns
from engine.errors import LoraDeckError
from engine.language import tr

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
    tools_folded: bool = False
    """Whether functions, calls and results stand as plain text inside the turns, for a chat
    template that leaves some of them out."""
    system_folded: bool = False
    """Whether the system turn stands in the first question, for a template that has none."""

    @property
    def trained(self) -> int:
        """Count the tokens that the loss is computed on."""
        return len(self.labels) - self.labels.count(NOT_TRAINED)


def encode(conversation: Conversation, template: ChatTemplate, tokenizer: Tokenizer) -> EncodedRow:
    """Render and tokenize a row; its answers and their end-of-turn tokens are trained.

    An answer is what the assistant says and the functions it calls. A plain text is trained
    whole, with its eos token and without a template.

    Raises:
        LoraDeckError: The template fails on this row or hides an answer; names the row.
    """
    try:
        return encode_unnamed(conversation, template, tokenizer)
    except LoraDeckError as error:
        raise of_row(conversation.row, error) from None


def of_row(row: int, error: LoraDeckError) -> LoraDeckError:
    """Name the row that an error is about."""
    message = tr("Row {row}: {words}", row=row, words=error.message)
    return LoraDeckError(error.title, message, error.hint)


def encode_unnamed(
    conversation: Conversation, template: ChatTemplate, tokenizer: Tokenizer
) -> EncodedRow:
    """Do so for a row whose number means nothing to the user.

    Raises:
        LoraDeckError: As ``encode``, without the row's number.
    """
    if conversation.plain:
        return _encode_plain(conversation, template, tokenizer)
    turns = find_turns(conversation, template, partial(special_texts, tokenizer))
    # The template writes BOS and EOS itself: no token is added a second time
    encoding = tokenizer.encode(turns.text, add_special_tokens=False)
    return _mask(
        EncodedRow(
            row=conversation.row,
            text=turns.text,
            input_ids=encoding.ids,
            labels=[],
            offsets=encoding.offsets,
            spans=turns.spans,
            end_trained=False,
            tools_folded=turns.chat.tools_folded,
            system_folded=turns.chat.system_folded,
        ),
        template,
        tokenizer,
    )


def _encode_plain(
    conversation: Conversation, template: ChatTemplate, tokenizer: Tokenizer
) -> EncodedRow:
    """Tokenize a text as the tokenizer would by itself, with one BOS where it adds one, and eos."""
    said = "".join(message.content for message in conversation.messages)
    eos = template.eos_token or ""
    if not said.endswith(eos):
        said += eos
    encoding = tokenizer.encode(said, add_special_tokens=False)
    input_ids, offsets = encoding.ids, encoding.offsets
    opening = _opening(tokenizer)
    if input_ids[: len(opening)] == opening:
        start = offsets[len(opening) - 1][1] if opening else 0
        text = said
    else:
        texts = [tokenizer.id_to_token(token) or "" for token in opening]
        start = len("".join(texts))
        text = "".join(texts) + said
        ends = [len("".join(texts[: at + 1])) for at in range(len(texts))]
        before = [(end - len(one), end) for end, one in zip(ends, texts, strict=True)]
        offsets = before + [(one + start, end + start) for one, end in offsets]
        input_ids = opening + input_ids
    row = EncodedRow(conversation.row, text, input_ids, [], offsets, ((start, len(text)),), False)
    return _mask(row, template, tokenizer)


def _opening(tokenizer: Tokenizer) -> list[int]:
    """Give the tokens that a tokenizer puts before every text: a BOS, or none."""
    bare = tokenizer.encode("a", add_special_tokens=False).ids
    whole = tokenizer.encode("a", add_special_tokens=True).ids
    added = len(whole) - len(bare)
    return next((whole[:at] for at in range(added + 1) if whole[at : at + len(bare)] == bare), [])


def _mask(row: EncodedRow, template: ChatTemplate, tokenizer: Tokenizer) -> EncodedRow:
    """Label the tokens inside the spans."""
    labels = _labels(row.text, row.input_ids, row.offsets, row.spans)
    ended = _end_trained(row.text, labels, row.offsets, row.spans, template, tokenizer)
    return replace(row, labels=labels, end_trained=ended)


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
    text: str,
    labels: Sequence[int],
    offsets: Sequence[tuple[int, int]],
    spans: Sequence[tuple[int, int]],
    template: ChatTemplate,
    tokenizer: Tokenizer,
) -> bool:
    """Tell whether the last trained token but for whitespace ends the last answer."""
    trained = (at for at in range(len(labels) - 1, -1, -1) if labels[at] != NOT_TRAINED)
    last = next((at for at in trained if text[slice(*offsets[at])].strip()), None)
    if last is None or text[offsets[last][1] : spans[-1][1]].strip():
        return False
    token = labels[last]
    if tokenizer.id_to_token(token) == template.eos_token:
        return True
    # Decoding drops the special tokens, and only those
    kept = tokenizer.decode([token], skip_special_tokens=True)
    return not kept and bool(tokenizer.decode([token], skip_special_tokens=False))
