"""A report for people, within the terminal's width."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from engine.language import tr
from engine.results.report.words import answers_words, compared_rows, facts, judged_words
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from engine.results.report.types import JudgedAnswer, Report

_WIDEST = 100


def print_report(report: Report) -> None:
    """Print scores, answers, the sample over time and the facts of the run."""
    console = Console(markup=False, highlight=False)
    console.width = min(_WIDEST, console.width)
    console.print(Text(visible(report.task_name), style="bold"))
    console.print(Text(visible(report.advice)))
    _section(console, tr("Scores"), judged_words(report))
    console.print(_indented(_table(("", tr("Base"), tr("Adapter")), compared_rows(report))))
    if report.answers:
        _section(console, tr("Answers"), answers_words(report))
        for said in report.answers:
            console.print(_indented(_answer(said)))
    if report.samples:
        _section(console, tr("One question over time"), report.sample_question)
        rows = ((f"{one.step:,}", one.answer) for one in report.samples)
        console.print(_indented(_table((tr("Step"), tr("Answer")), rows)))
    _section(console, tr("Run"), "")
    console.print(_indented(_table((), facts(report))))
    again = quote(visible(report.task_name)), quote(visible(f"{report.task_name}-again"))
    console.print()
    command = f"loradeck train --from-report {again[0]} --name {again[1]}"
    console.print(Text(tr("Again: {command}", command=command)), soft_wrap=True)  # it is copied


def _section(console: Console, title: str, words: str) -> None:
    """Print a heading and what it is about."""
    console.print()
    console.print(Text(title, style="bold"))
    if words:
        console.print(_indented(Text(visible(words))))


def _indented(content: RenderableType) -> Padding:
    """Set what stands under a heading off from it."""
    return Padding(content, (0, 0, 0, 2))


def _answer(said: JudgedAnswer) -> Table:
    """Set a question's answers beneath each other, with how like the reference they are."""
    nothing = tr("(nothing)")
    return _table(
        (),
        (
            (tr("Question"), said.question),
            (tr("Dataset"), said.reference),
            (tr("Base (chrF {score:.0f})", score=said.base_chrf), said.base or nothing),
            (tr("Adapter (chrF {score:.0f})", score=said.adapter_chrf), said.adapter or nothing),
            ("", ""),
        ),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Make aligned columns of text from files and models; the last one wraps."""
    table = Table(*head, box=None, pad_edge=False, show_header=bool(head), header_style="bold")
    for row in rows:
        # Words are wrapped, and what has no blanks is broken: a hash is wanted whole
        table.add_row(*(Text(visible(cell), overflow="fold") for cell in row))
    return table
