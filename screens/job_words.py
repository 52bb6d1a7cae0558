"""Exports and deployments in words: their state, what they made, and what the gate found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.content import Content

from engine.language import mark, tr
from engine.text import human_bytes, human_duration, visible
from screens.format import (
    STATES,
    Sign,
    fitted,
    hint_words,
    moment_words,
    one_line,
    right_fitted,
    widest,
)
from screens.widgets.facts import Fact
from screens.widgets.findings import TONES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.jobs.types import Job
    from engine.results.export.types import Agreement, Exported

_REFUSED = Sign("✗", mark("refused"), "bad")
_BASE = mark("base")
"""The gate's name for the base without the adapter."""
_GAP = "  "
_HEADS = (
    mark("form"), mark("tokens that agree"), mark("Δ log-prob"), mark("largest"),
    mark("same answers"), mark("verdict"),
)  # fmt: skip
_BRIEF_HEADS = (
    mark("form"), mark("tokens agree"), mark("Δ log-p"), mark("largest"), mark("same"),
    mark("verdict"),
)  # fmt: skip
_ROOMY = 90
"""Cells in which the table's heads can be written out."""


def job_sign(job: Job) -> Sign:
    """Give a job's state; a failure that is the gate's refusal says so."""
    return _REFUSED if refused(job) else STATES[job.state]


def refused(job: Job) -> bool:
    """Tell whether the gate refused what was made."""
    gate = job.exported.gate if job.exported else ()
    return job.state == "failed" and any(not form.passed for form in gate)


def share_words(job: Job) -> str:
    """Write how far a running job is; empty where that is not known."""
    return "" if job.ended or job.progress is None else f"{100 * job.progress:.0f} %"


def stage_words(job: Job) -> str:
    """Say what a job does, or in a few words what came of it."""
    if not job.ended:
        return one_line(job.stage) or tr("starting")
    if job.state == "completed" and job.exported is not None:
        return made_words(job.exported)
    return one_line(job.error_title)


def kind_words(job: Job) -> str:
    """Name what kind of job it is."""
    return tr("Export") if job.kind == "export" else tr("Deployment")


def made_words(exported: Exported) -> str:
    """Say what was made: its name at Ollama, or where it lies."""
    if exported.ollama_name:
        return f"ollama run {one_line(exported.ollama_name)}"
    return one_line(exported.path)


def ended_words(job: Job, now: datetime) -> str:
    """Write when a job ended and after how long; while it runs, since when."""
    begun = datetime.fromtimestamp(job.created_at, UTC)
    if job.ended_at is None:
        return tr("since {when}", when=moment_words(begun, now))
    ended = moment_words(datetime.fromtimestamp(job.ended_at, UTC), now)
    took = human_duration(job.ended_at - job.created_at)
    return tr("{when}, after {duration}", when=ended, duration=took)


def made_lines(job: Job) -> list[Fact | Content]:
    """Say what a job made, a line a fact."""
    exported = job.exported
    if exported is None or job.state != "completed":
        return []
    facts = {
        tr("at Ollama"): exported.ollama_name and f"ollama run {exported.ollama_name}",
        tr("path"): exported.path,
        tr("size"): human_bytes(exported.size_bytes) if exported.size_bytes else "",
    }
    lines: list[Fact | Content] = [
        Fact(name, Content(one_line(words))) for name, words in facts.items() if words
    ]
    if exported.forced:
        words = tr("made although it speaks otherwise than the adapter")
        lines.append(Content.styled(f"▲ {words}", "$text-warning"))
    return lines


def failure_lines(job: Job) -> list[Content]:
    """Say why a job failed and what to do."""
    if job.state != "failed":
        return []
    lines = [Content.assemble((one_line(job.error_title), "bold $text-error"))]
    lines += [Content(visible(job.message))] if job.message else []
    lines += [Content.styled(hint_words(job.hint), "$muted")] if job.hint else []
    return lines


def gate_lines(gate: Sequence[Agreement], width: int) -> list[Content]:
    """Draw the gate's table: how like the adapter each form speaks."""
    rows = [_cells(form) for form in gate]
    heads = [tr(head) for head in (_HEADS if width >= _ROOMY else _BRIEF_HEADS)]
    widths = [widest([heads[column], *(row[column] for row in rows)]) for column in range(6)]
    lines = [Content.styled(_row(heads, widths), "$muted")]
    for form, row in zip(gate, rows, strict=True):
        sign = _verdict(form)
        line = Content(_row(row[:-1], widths[:-1]) + _GAP)
        lines.append(Content.assemble(line, (sign.shown, TONES[sign.tone])))
    return lines


def difference_lines(gate: Sequence[Agreement]) -> list[Fact | Content]:
    """Say what speaks against a form, and where a lossy one first answers otherwise."""
    lines: list[Fact | Content] = []
    for form in gate:
        lossy = not form.judged and form.name != _BASE
        if form.problem or (lossy and form.prompt):
            lines += [*([Content()] if lines else []), *_difference_of(form)]
    return lines


def _difference_of(form: Agreement) -> list[Fact | Content]:
    """Say how a form differs from the adapter, with the first question that shows it."""
    name = _name(form)
    words = visible(form.problem) or tr("its first other answer.")
    lines: list[Fact | Content] = [Content.assemble((f"{name}: ", "bold"), words)]
    if form.prompt:
        told = {tr("question"): form.prompt, tr("adapter"): form.expected, name: form.found}
        lines += [
            Fact(who, Content(visible(said) or tr("(nothing)"))) for who, said in told.items()
        ]
    return lines


def _name(form: Agreement) -> str:
    """Name a form; the base is none of the adapter's."""
    return tr(_BASE) if form.name == _BASE else one_line(form.name)


def _cells(form: Agreement) -> tuple[str, ...]:
    """Write a form's figures."""
    return (
        _name(form),
        tr("{share} % of {tokens}", share=f"{100 * form.agreement:.1f}", tokens=f"{form.tokens:,}"),
        _difference(form.logprob_mean),
        _difference(form.logprob_max),
        tr("{count} of {of}", count=form.same_answers, of=form.prompts),
        "",
    )


def _difference(value: float | None) -> str:
    """Write a difference of log-probabilities; a dash where none was measured."""
    return "–" if value is None else f"{value:.4f}"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Lay cells out: the first from the left, figures from the right."""
    first, *figures = cells
    line = [fitted(first, widths[0])]
    last = len(_HEADS) - 2
    for place, (cell, width) in enumerate(zip(figures, widths[1:], strict=True)):
        line.append(fitted(cell, width) if place == last else right_fitted(cell, width))
    return _GAP.join(line)


def _verdict(form: Agreement) -> Sign:
    """Judge a form; the base is there to be compared with, and should differ."""
    if not form.passed:
        return Sign("✗", mark("differs"), "bad")
    if form.name == _BASE:
        warned = Sign("▲", mark("hardly differs"), "warn")
        return warned if form.problem else Sign("•", mark("to compare with"), "dim")
    return Sign("✓", mark("agrees"), "good") if form.judged else Sign("•", mark("lossy"), "dim")
