"""The faults a row can have, and the findings that many of them add up to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.types import Finding
from engine.data.words import SHOWN_ROWS, row_list
from engine.language import mark, tr, trn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.data.types import Level


class FaultyRowError(Exception):
    """A row cannot train; ``code`` is a key of ``FAULTS``, ``detail`` a clause on this row."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class RowTooLargeError(FaultyRowError):
    """A row is larger than anything that can be trained on."""


@dataclass(frozen=True)
class _Fault:
    """The words for one kind of fault."""

    headline: str
    """Follows ``3 rows``."""
    hint: str


FAULTS = {
    "no-answer": _Fault(
        mark("without an answer"),
        mark("Give each row an answer (output, or a last turn from gpt), or delete the row."),
    ),
    "empty-answer": _Fault(
        mark("with an empty answer"), mark("Write the answer, or delete the row.")
    ),
    "empty-question": _Fault(
        mark("with an empty question"), mark("Write the question, or delete the row.")
    ),
    "wrong-order": _Fault(
        mark("with turns in a wrong order"),
        mark("After an optional system turn, human and gpt must take turns, human first."),
    ),
    "no-question": _Fault(
        mark("without a question"),
        mark("Give each row a question from the user, or delete the row."),
    ),
    "tool-order": _Fault(
        mark("with a tool's turn out of place"),
        mark("A tool's answer follows the call of a function, and the assistant speaks after it."),
    ),
    "bad-tools": _Fault(
        mark("with tools or calls that cannot be read"),
        mark(
            'Write a tool as {"name": …, "description": …, "parameters": {…}} and a '
            'call as {"name": …, "arguments": {…}}.'
        ),
    ),
    "media": _Fault(
        mark("with images, sounds or files"),
        mark("LoRADeck trains on text alone: take these parts out, or delete the rows."),
    ),
    "no-rejected": _Fault(
        mark("without a rejected answer"),
        mark("Give each row a rejected answer beside the chosen one, or delete the row."),
    ),
    "same-answers": _Fault(
        mark("whose chosen and rejected answers are the same"),
        mark("Write another rejected answer, or delete the row."),
    ),
    "unwanted": _Fault(
        mark("whose answer is marked as not wanted"),
        mark(
            "Answers are trained as they stand, so these rows must go: delete them, or "
            "train with --leave-out."
        ),
    ),
    "empty-text": _Fault(mark("with an empty text"), mark("Write the text, or delete the row.")),
    "unknown-role": _Fault(
        mark("with an unknown role"),
        mark(
            "Use human (or user), gpt (or assistant), system, function_call, observation (or tool)."
        ),
    ),
    "wrong-type": _Fault(
        mark("with a value of a wrong type"),
        mark('Write these values as text, for example "4" for 4.'),
    ),
    "other-shape": _Fault(
        mark("of another shape than the rest of the file"),
        mark("Give all rows the same keys, or move these rows to a file of their own."),
    ),
    "broken-json": _Fault(
        mark("that cannot be read"), mark("Mend these lines in an editor, or delete them.")
    ),
    "not-an-object": _Fault(
        mark("that are no objects"),
        mark('Write each row as an object: {"instruction": "…", "output": "…"}.'),
    ),
    "broken-text": _Fault(
        mark("with half a character"),
        mark(
            "A lone \\ud800–\\udfff escape is no character: write the text again, or "
            "delete the row."
        ),
    ),
}


def fault_findings(faults: Mapping[int, FaultyRowError]) -> list[Finding]:
    """Group the faults by kind, an error finding each; keys are row numbers."""
    by_code: dict[str, list[int]] = {}
    for row, fault in faults.items():
        by_code.setdefault(fault.code, []).append(row)
    findings = []
    for code, rows in by_code.items():
        words = FAULTS[code]
        headline, hint, detail = tr(words.headline), tr(words.hint), faults[rows[0]].detail
        findings.append(finding("error", code, rows, headline, hint, detail))
    return findings


def finding(
    level: Level, code: str, rows: Sequence[int], headline: str, hint: str, detail: str = ""
) -> Finding:
    """Word a finding about some rows; ``detail`` tells what is wrong with the first of them."""
    return Finding(
        level=level,
        code=code,
        message=_message(rows, headline, detail),
        hint=hint,
        count=len(rows),
        rows=tuple(rows[:SHOWN_ROWS]),
    )


def _message(rows: Sequence[int], headline: str, detail: str) -> str:
    """Say how many rows there are, which, and what is wrong with the first."""
    count = len(rows)
    where = row_list(rows, count)
    if not detail:
        return trn(
            "1 row {headline}, {where}.",
            "{count:,} rows {headline} ({where}).",
            count,
            headline=headline,
            where=where,
        )
    return trn(
        "1 row {headline}, {where}: {detail}.",
        "{count:,} rows {headline} ({where}): in row {row}, {detail}.",
        count,
        headline=headline,
        where=where,
        row=rows[0],
        detail=detail,
    )
