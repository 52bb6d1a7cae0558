"""A report in Markdown: what stands in ``report.md``, and in the card beside the adapter."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from engine.language import speaking
from engine.results.report.chart import CHART
from engine.results.report.words import (
    answers_words,
    compared_rows,
    facts,
    judged_words,
)
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from engine.results.report.types import JudgedAnswer, Report

_INLINE = re.compile(r"[\\`*\[~]|(?<![^\W_])_|_(?![^\W_])")
"""What is acted on within a line; an underscore inside a word is not."""
_BLOCK = re.compile(r"^(\d*)([#>+=.)|-])")
"""What makes a line more than a line, at its beginning."""


def report_text(report: Report) -> str:
    """Write a report as a document."""
    made = datetime.fromtimestamp(report.created_at, UTC)
    head = f"# {visible(report.task_name)}\n\nReport of {made:%Y-%m-%d %H:%M} UTC.\n\n"
    return head + report_body(report)


@speaking("en")
def report_body(report: Report) -> str:
    """Write a report without its title; in English, whatever is spoken."""
    return "\n\n".join(_parts(report)) + "\n"


def _parts(report: Report) -> Iterator[str]:
    """Give its paragraphs."""
    yield report.advice
    yield f"## Scores\n\n{judged_words(report)}"
    yield _table(("", "Base", "Adapter"), compared_rows(report))
    if report.answers:
        yield f"## Answers\n\n{answers_words(report)}"
        yield from map(_answer, report.answers)
    if report.train_curve:
        yield f"## Curves\n\n![Loss over the steps]({CHART})"
    if report.samples:
        yield f"## One question over time\n\n{_quoted('Question', report.sample_question)}"
        yield _table(
            ("Step", "Epoch", "Answer"),
            ((str(one.step), f"{one.epoch:.2f}", one.answer) for one in report.samples),
        )
    yield f"## Run\n\n{_table(('', ''), facts(report))}"
    yield parameter_table(report.training_params)


def parameter_table(params: Mapping[str, Any]) -> str:
    """Write a run's parameters."""
    rows = ((key, str(value)) for key, value in params.items())
    return f"## Parameters\n\n{_table(('Parameter', 'Value'), rows)}"


def _answer(said: JudgedAnswer) -> str:
    """Set one question's answers beneath each other."""
    parts = (
        ("Question", said.question),
        ("Dataset", said.reference),
        (f"Base (chrF {said.base_chrf:.0f})", said.base),
        (f"Adapter (chrF {said.adapter_chrf:.0f})", said.adapter),
    )
    return "\n\n".join(_quoted(*part) for part in parts) + "\n\n---"


def _quoted(label: str, text: str) -> str:
    """Set a text as a Markdown quotation under a bold label, with nothing of it acted on."""
    lines = [_line(line) for line in visible(text).splitlines()] or ["(nothing)"]
    # Two blanks at its end keep a line a line
    ends = ["  " if line and after else "" for line, after in pairwise([*lines, ""])]
    quoted = (f"> {line}{end}" if line else ">" for line, end in zip(lines, ends, strict=True))
    return f"**{label}**\n\n" + "\n".join(quoted)


def _line(text: str) -> str:
    """Take from a line also what makes it a heading, a list, a rule or code; its indent stays."""
    wide = text.expandtabs()
    line = wide.lstrip()
    indent = "\u00a0" * (len(wide) - len(line))
    return indent + _BLOCK.sub(r"\1\\\2", _plain(line.rstrip()))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """Make a text fit into one cell."""
    return _plain(" ".join(visible(text).split())).replace("|", "\\|")


def _plain(text: str) -> str:
    """Take from a text what Markdown would make a tag, a link, an image, code or emphasis of."""
    return _INLINE.sub(r"\\\g<0>", text).replace("&", "&amp;").replace("<", "&lt;")
