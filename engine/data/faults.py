"""The faults a row can have, and the findings that many of them add up to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.types import Finding
from engine.data.words import SHOWN_ROWS, row_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.data.types import Level


class FaultyRowError(Exception):
    """A row cannot train; ``code`` is a key of ``FAULTS``, ``detail`` a clause on this row."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class _Fault:
    """The words for one kind of fault."""

    headline: str
    """Follows ``3 rows``."""
    hint: str


FAULTS = {
    "no-answer": _Fault(
        "without an answer",
        "Give each row an answer (output, or a last turn from gpt), or delete the row.",
    ),
    "empty-answer": _Fault("with an empty answer", "Write the answer, or delete the row."),
    "empty-question": _Fault("with an empty question", "Write the question, or delete the row."),
    "wrong-order": _Fault(
        "with turns in a wrong order",
        "After an optional system turn, human and gpt must take turns, human first.",
    ),
    "no-question": _Fault(
        "without a question", "Give each row a question from the user, or delete the row."
    ),
    "tool-order": _Fault(
        "with a tool's turn out of place",
        "A tool's answer follows the call of a function, and the assistant speaks after it.",
    ),
    "bad-tools": _Fault(
        "with tools or calls that cannot be read",
        'Write a tool as {"name": …, "description": …, "parameters": {…}} and a call as '
        '{"name": …, "arguments": {…}}.',
    ),
    "media": _Fault(
        "with images, sounds or files",
        "LoRADeck trains on text alone: take these parts out, or delete the rows.",
    ),
    "no-rejected": _Fault(
        "without a rejected answer",
        "Give each row a rejected answer beside the chosen one, or delete the row.",
    ),
    "same-answers": _Fault(
        "whose chosen and rejected answers are the same",
        "Write another rejected answer, or delete the row.",
    ),
    "unwanted": _Fault(
        "whose answer is marked as not wanted",
        "Answers are trained as they stand, so these rows must go: delete them, or train with "
        "--leave-out.",
    ),
    "empty-text": _Fault("with an empty text", "Write the text, or delete the row."),
    "unknown-role": _Fault(
        "with an unknown role",
        "Use human (or user), gpt (or assistant), system, function_call, observation (or tool).",
    ),
    "wrong-type": _Fault(
        "with a value of a wrong type", 'Write these values as text, for example "4" for 4.'
    ),
    "other-shape": _Fault(
        "of another shape than the rest of the file",
        "Give all rows the same keys, or move these rows to a file of their own.",
    ),
    "broken-json": _Fault("that cannot be read", "Mend these lines in an editor, or delete them."),
    "not-an-object": _Fault(
        "that are no objects", 'Write each row as an object: {"instruction": "…", "output": "…"}.'
    ),
    "broken-text": _Fault(
        "with half a character",
        "A lone \\ud800–\\udfff escape is no character: write the text again, or delete the row.",
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
        detail = faults[rows[0]].detail
        findings.append(finding("error", code, rows, words.headline, words.hint, detail))
    return findings


def finding(
    level: Level, code: str, rows: Sequence[int], headline: str, hint: str, detail: str = ""
) -> Finding:
    """Word a finding about some rows; ``detail`` tells what is wrong with the first of them."""
    count = len(rows)
    where = row_list(rows, count)
    if count == 1:
        message = f"1 row {headline}, {where}"
    else:
        message = f"{count:,} rows {headline} ({where})"
        detail = detail and f"in row {rows[0]}, {detail}"
    message += f": {detail}." if detail else "."
    return Finding(
        level=level,
        code=code,
        message=message,
        hint=hint,
        count=count,
        rows=tuple(rows[:SHOWN_ROWS]),
    )
