"""Count the tokens of a dataset with a model's own template and tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.faults import finding
from engine.data.inspect import load_conversations
from engine.data.model_files import load_tokenizer
from engine.data.render import NOT_TRAINED, encode
from engine.data.template import ChatTemplate
from engine.data.types import Finding, Lengths

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.data.render import EncodedRow
    from engine.data.types import Conversation

LIMIT_ROWS = 20_000
LIMIT_CHARACTERS = 4_000_000
"""What a tokenizer manages in a few seconds on one core."""


def measure(
    dataset: Path,
    model_folder: Path,
    limit_rows: int = LIMIT_ROWS,
    limit_characters: int = LIMIT_CHARACTERS,
) -> Lengths:
    """Render and tokenize a dataset, or an even sample of it where it is larger than the limits.

    A stranger's template runs here: in a server, use ``measure_in_process``.

    Raises:
        LoraDeckError: The dataset or the model folder cannot be used, or the template refuses
            a row.
    """
    conversations = load_conversations(dataset)
    template, tokenizer = ChatTemplate.load(model_folder), load_tokenizer(model_folder)
    measured = [
        _measure(encode(one, template, tokenizer))
        for one in sample(conversations, limit_rows, limit_characters)
    ]
    return _lengths(len(conversations), measured)


def sample(
    conversations: Sequence[Conversation], limit_rows: int, limit_characters: int
) -> list[Conversation]:
    """Take rows at even distances within the limits, and always the longest one.

    The longest row decides how much memory a run needs, so no sample may miss it.
    """
    sizes = [sum(len(one.content) for one in row.messages) for row in conversations]
    count, total = len(conversations), max(1, sum(sizes))
    taken = max(1, min(count, limit_rows, count * limit_characters // total))
    indexes = {number * count // taken for number in range(taken)}
    indexes.add(max(range(count), key=sizes.__getitem__))
    return [conversations[index] for index in sorted(indexes)]


@dataclass(frozen=True)
class _Measured:
    """What is kept of an encoded row."""

    row: int
    tokens: int
    trained: int
    start: int
    """Tokens before the first trained one."""
    end_trained: bool


def _measure(row: EncodedRow) -> _Measured:
    """Keep the counts and drop the tokens."""
    pairs = enumerate(row.labels)
    start = next((index for index, label in pairs if label != NOT_TRAINED), len(row.labels))
    return _Measured(row.row, len(row.input_ids), row.trained, start, row.end_trained)


def _lengths(rows: int, measured: Sequence[_Measured]) -> Lengths:
    """Sum the measured rows up."""
    counts = sorted(one.tokens for one in measured)
    return Lengths(
        rows=rows,
        measured=len(measured),
        p50=_percentile(counts, 50),
        p95=_percentile(counts, 95),
        p99=_percentile(counts, 99),
        longest=counts[-1],
        total=sum(counts),
        trained=sum(one.trained for one in measured),
        counts=tuple(counts),
        starts=tuple(sorted(((one.start, one.row) for one in measured), reverse=True)),
        findings=tuple(_findings(measured)),
    )


def _percentile(ascending: Sequence[int], percent: int) -> int:
    """Give the smallest count that at least this share of the rows does not exceed."""
    return ascending[-(-len(ascending) * percent // 100) - 1]


def _findings(measured: Sequence[_Measured]) -> list[Finding]:
    """Name the rows that would teach nothing, and those that would not teach to stop."""
    untrained = [one.row for one in measured if not one.trained]
    endless = [one.row for one in measured if one.trained and not one.end_trained]
    findings = []
    if untrained:
        hint = "The model's chat template leaves the answer out: choose another base model."
        headline = "with no trained token"
        findings.append(finding("error", "no-trained-token", untrained, headline, hint))
    if endless:
        hint = (
            "The model would not learn to stop: choose a base model whose chat template ends "
            "each answer with a special token, or that names an eos_token."
        )
        headline = "whose end-of-turn token is not trained"
        findings.append(finding("error", "end-not-trained", endless, headline, hint))
    return findings
