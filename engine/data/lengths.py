"""Count the tokens of a dataset's sampled rows with a model's own template and tokenizer."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.faults import finding
from engine.data.histogram import histogram
from engine.data.model_files import load_tokenizer
from engine.data.render import NOT_TRAINED, encode_unnamed, of_row
from engine.data.template import ChatTemplate
from engine.data.types import Finding, Lengths
from engine.errors import LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tokenizers import Tokenizer

    from engine.data.render import EncodedRow
    from engine.data.scan_cache import Sample
    from engine.data.types import Conversation

_NORMAL_95 = 1.96


def measure(sample: Sample, model_folder: Path, context: int | None = None) -> Lengths:
    """Render and tokenize the rows of a sample.

    A stranger's template runs here: in a server, use ``measure_in_process``.

    Args:
        sample: All rows of a small dataset, or an even choice of them and the longest.
        model_folder: The base model's folder.
        context: Tokens that the model can read; ``None`` where it is not known.

    Raises:
        LoraDeckError: The model folder cannot be used, or its template refuses every row.
    """
    template, tokenizer = ChatTemplate.load(model_folder), load_tokenizer(model_folder)
    special = special_texts(tokenizer)
    measured: list[_Measured] = []
    refused: dict[int, LoraDeckError] = {}
    for conversation in sample.conversations:
        try:
            encoded = encode_unnamed(conversation, template, tokenizer)
        except LoraDeckError as error:
            refused[conversation.row] = error
            continue
        measured.append(_measure(encoded, conversation, special))
    if not measured:
        raise of_row(*next(iter(refused.items())))
    return _lengths(sample, measured, refused, context)


@dataclass(frozen=True)
class _Measured:
    """What is kept of an encoded row."""

    row: int
    characters: int
    tokens: int
    trained: int
    start: int
    """Tokens before the first trained one."""
    end_trained: bool
    special: str
    """A special token of this model that stands in the row's text; or empty."""
    tools_folded: bool
    system_folded: bool


def _measure(row: EncodedRow, conversation: Conversation, special: Sequence[str]) -> _Measured:
    """Keep the counts and drop the tokens."""
    pairs = enumerate(row.labels)
    start = next((index for index, label in pairs if label != NOT_TRAINED), len(row.labels))
    said = "\n".join(one.content for one in conversation.messages)
    return _Measured(
        row=row.row,
        characters=sum(len(one.content) for one in conversation.messages),
        tokens=len(row.input_ids),
        trained=row.trained,
        start=start,
        end_trained=row.end_trained,
        special=next((one for one in special if one in said), ""),
        tools_folded=row.tools_folded,
        system_folded=row.system_folded,
    )


def special_texts(tokenizer: Tokenizer) -> list[str]:
    """Give the texts that this tokenizer turns into special tokens wherever they stand."""
    added = json.loads(tokenizer.to_str()).get("added_tokens") or []
    texts = [one["content"] for one in added if one.get("special")]
    # A token of letters alone would be found in honest words
    return [text for text in texts if len(text) > 1 and not text.isalnum()]


def _lengths(
    sample: Sample,
    measured: Sequence[_Measured],
    refused: dict[int, LoraDeckError],
    context: int | None,
) -> Lengths:
    """Sum the measured rows up."""
    spread = histogram(counts := sorted(one.tokens for one in measured))
    total, trained = spread.total, sum(one.trained for one in measured)
    drawn = [one for one in measured if one.row not in sample.added]
    estimate = _Estimate(sample, drawn or measured)
    whole = len(measured) + len(refused) >= sample.rows
    return Lengths(
        rows=sample.rows,
        measured=len(measured),
        p50=spread.p50,
        p95=spread.p95,
        p99=spread.p99,
        longest=spread.longest,
        total=total,
        trained=trained,
        counts=tuple(counts),
        starts=tuple(sorted(((one.start, one.row) for one in measured), reverse=True)),
        findings=tuple(_findings(measured, refused, context)),
        estimated_total=total if whole else estimate.total,
        estimated_trained=trained if whole else estimate.trained,
        error=0.0 if whole else estimate.error,
        histogram=spread,
        over_context=sum(one.tokens > context for one in measured) if context else 0,
    )


class _Estimate:
    """What a sample tells of the whole: tokens a character, times all characters.

    The ratio estimator of survey sampling: rows differ in length far more than in how many
    tokens a character takes, and every row's length is known (Cochran, Sampling Techniques, 6).
    """

    def __init__(self, sample: Sample, drawn: Sequence[_Measured]) -> None:
        characters = max(1, sum(one.characters for one in drawn))
        tokens = sum(one.tokens for one in drawn)
        ratio, count = tokens / characters, len(drawn)
        self.total = round(ratio * sample.characters)
        self.trained = round(sum(one.trained for one in drawn) / characters * sample.characters)
        squares = sum((one.tokens - ratio * one.characters) ** 2 for one in drawn)
        unseen = max(0.0, 1 - count / sample.rows)
        deviation = math.sqrt(unseen * squares / max(1, count - 1) / count)
        self.error = round(_NORMAL_95 * deviation / max(1.0, tokens / count), 4)


def _findings(
    measured: Sequence[_Measured], refused: dict[int, LoraDeckError], context: int | None
) -> Iterator[Finding]:
    """Name the rows that this model cannot take, or not as they are meant."""
    yield from _untrainable(measured, refused)
    yield from _warnings(measured, context)
    yield from _notes(measured)


def _untrainable(
    measured: Sequence[_Measured], refused: dict[int, LoraDeckError]
) -> Iterator[Finding]:
    """Name the rows that cannot be trained with this model."""
    if refused:
        first = next(iter(refused.values()))
        detail = first.message.rstrip(".。")
        headline = tr("that the model's chat template refuses")
        yield finding("error", "template-refuses", list(refused), headline, first.hint, detail)
    if untrained := [one.row for one in measured if not one.trained]:
        hint = tr("The model's chat template leaves the answer out: choose another base model.")
        headline = tr("with no trained token")
        yield finding("error", "no-trained-token", untrained, headline, hint)
    if endless := [one.row for one in measured if one.trained and not one.end_trained]:
        hint = tr(
            "The model would not learn to stop: choose a base model whose chat "
            "template ends each answer with a special token, or that names an "
            "eos_token."
        )
        headline = tr("whose end-of-turn token is not trained")
        yield finding("error", "end-not-trained", endless, headline, hint)


def _warnings(measured: Sequence[_Measured], context: int | None) -> Iterator[Finding]:
    """Name the rows that this model reads otherwise than they are meant."""
    if context and (long := [one.row for one in measured if one.tokens > context]):
        headline = tr("longer than the {context:,} tokens that the model can read", context=context)
        hint = tr("Split or shorten them; otherwise they are cut at the length limit.")
        yield finding("warning", "over-context", long, headline, hint)
    if special := [one for one in measured if one.special]:
        headline = tr("with special tokens of this model in their text")
        hint = tr("The model reads them as such, not as words: take them out, or write them apart.")
        rows, detail = [one.row for one in special], tr("it holds {text}", text=special[0].special)
        yield finding("warning", "special-tokens-of-model", rows, headline, hint, detail)


def _notes(measured: Sequence[_Measured]) -> Iterator[Finding]:
    """Name the rows that are rendered in another form, for want of a better one."""
    if folded := [one.row for one in measured if one.tools_folded]:
        headline = tr("whose functions and calls this model's chat template cannot write")
        hint = tr(
            "They are written as plain text inside the turns. Models made for tools do it better."
        )
        yield finding("note", "tools-folded", folded, headline, hint)
    if folded := [one.row for one in measured if one.system_folded]:
        headline = tr("whose system turn this model's chat template cannot write")
        hint = tr("It is put before the first question: do the same when you use the adapter.")
        yield finding("note", "system-folded", folded, headline, hint)
