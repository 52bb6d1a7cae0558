"""A report in words and figures: base beside adapter, the verdict, and how to do it again."""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from engine.language import listed, mark, tr, trn
from engine.results.report.words import facts
from engine.tasks.curves import CurveFold, Line
from engine.text import visible
from screens.format import Sign, fitted, one_line, rate_words, right_fitted, widest
from screens.widgets.facts import Fact
from screens.widgets.findings import TONES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.results.report.types import Report
    from engine.tasks.curves import Curves

_BETTER = Sign("✓", mark("better"), "good")
_WORSE = Sign("✗", mark("worse"), "bad")
_SAME = Sign("=", mark("same"), "dim")
_ALL_END = Sign("✓", mark("all of them"), "good")
_NOT_ALWAYS = Sign("▲", mark("not always"), "warn")
_GAP = "   "
_POINTS = 1000
"""More than a report has."""
_HEADS = ("", mark("base"), mark("adapter"), mark("change"))
_OVERFITTING = {
    "none": Sign("✓", mark("no overfitting"), "good"),
    "slight": Sign("▲", mark("slight overfitting"), "warn"),
    "strong": Sign("✗", mark("strong overfitting"), "bad"),
    "unknown": Sign("•", mark("overfitting not measured"), "dim"),
}


class Score(NamedTuple):
    """A figure of base and adapter, and which of them is the better one."""

    name: str
    base: str
    adapter: str
    change: str
    sign: Sign | None


def verdict(report: Report) -> list[Content]:
    """Write the advice, and in a line what it rests on."""
    sign = _OVERFITTING[report.overfitting]
    told = [
        Content.styled(sign.shown, TONES[sign.tone]),
        Content.styled(_judged_on(report), "$muted"),
    ]
    advice = visible(report.advice) or tr("Nothing to object to.")
    return [Content.styled(advice, "bold"), Content.styled(" · ", "$muted").join(told)]


def _judged_on(report: Report) -> str:
    """Say on how many rows the figures rest, and on which."""
    count, shown = report.judged_rows, f"{report.judged_rows:,}"
    if report.judged_on == "held-out":
        return trn(
            "judged on {shown} row held out", "judged on {shown} rows held out", count, shown=shown
        )
    return trn(
        "judged on {shown} row it was trained on",
        "judged on {shown} rows it was trained on",
        count,
        shown=shown,
    )


def scores(report: Report) -> list[Score]:
    """List the figures; what was not measured is left out."""
    base, adapter = report.base, report.adapter
    loss = tr("held-out loss") if report.judged_on == "held-out" else tr("loss")
    found = [
        _score(loss, base.loss, adapter.loss, "{:.3f}".format, lower=True),
        _score(tr("perplexity"), base.perplexity, adapter.perplexity, _perplexity, lower=True),
        _score(tr("token accuracy"), 100 * base.token_accuracy, 100 * adapter.token_accuracy,
               "{:.1f} %".format),
    ]  # fmt: skip
    if report.base_chrf is not None and report.adapter_chrf is not None:
        found.append(_score(tr("likeness (chrF)"), report.base_chrf, report.adapter_chrf,
                            "{:.1f}".format))  # fmt: skip
    if report.exact_of:
        found.append(_score(tr("exact answers"), report.base_exact, report.adapter_exact,
                            "{:.0f}".format, of=report.exact_of))  # fmt: skip
    return [*found, *_ending(report)]


def score_lines(report: Report) -> list[Content]:
    """Draw the table of base beside adapter; better and worse by sign and word."""
    rows, heads = scores(report), tuple(tr(head) for head in _HEADS)
    cells = [heads, *((row.name, row.base, row.adapter, row.change) for row in rows)]
    widths = [widest([line[column] for line in cells]) for column in range(len(_HEADS))]
    lines = [Content.styled(_aligned(heads, widths), "$muted")]
    for row in rows:
        sign = row.sign
        told = (f"{_GAP}{sign.shown}", TONES[sign.tone]) if sign else ""
        words = _aligned((row.name, row.base, row.adapter, row.change), widths)
        lines.append(Content.assemble(words, told))
    return lines


def sample_lines(report: Report) -> list[Fact | Content]:
    """Write what the adapter answered to one question as it learned."""
    if not report.samples:
        return []
    return [
        Content.styled(visible(report.sample_question), "bold"),
        *(Fact(tr("step {step}", step=one.step), _said(one.answer)) for one in report.samples),
    ]


def report_curves(report: Report) -> Curves:
    """Give the losses of a report as curves."""
    fold = CurveFold()
    for point in report.train_curve:
        fold.add(Line(type="step_logged", step=point.step, loss=point.loss))
    for point in report.eval_curve:
        fold.add(Line(type="evaluated", step=point.step, eval_loss=point.loss))
    return fold.curves(_POINTS)


def again_lines(report: Report) -> list[Fact | Content]:
    """Write what it takes to do the training again."""
    known = dict(facts(report)) | {tr("Parameters"): _pairs(report.training_params)}
    return [
        Fact(tr("The same again"), Content(command(report))),
        *(Fact(name, Content(visible(words))) for name, words in known.items() if words),
    ]


def command(report: Report) -> str:
    """Give the command that runs the training again."""
    name, again = shlex.quote(report.task_name), shlex.quote(f"{report.task_name}-again")
    return one_line(f"loradeck train --from-report {name} --name {again}")


def _score(
    name: str,
    base: float,
    adapter: float,
    write: Callable[[float], str],
    *,
    lower: bool = False,
    of: int = 0,
) -> Score:
    """Compare two figures as they are written: what looks alike is the same.

    Args:
        of: How many there are to count, where the figures are counts.
    """
    words = write(base), write(adapter)
    if of:
        words = _count(words[0], of), _count(words[1], of)
    if words[0] == words[1]:
        return Score(name, *words, "", _SAME)
    better = (adapter < base) == lower and not math.isnan(adapter)
    change = ("+" if adapter > base else "−") + write(abs(adapter - base))
    return Score(name, *words, change, _BETTER if better else _WORSE)


def _ending(report: Report) -> list[Score]:
    """Tell how many answers of the adapter ended by themselves; the base is not asked."""
    if not report.asked:
        return []
    sign = _ALL_END if report.ended == report.asked else _NOT_ALWAYS
    return [Score(tr("ends its answers"), "–", _count(report.ended, report.asked), "", sign)]


def _said(answer: str) -> Content:
    """Write an answer; an empty one says so."""
    return Content(visible(answer) or tr("(nothing)"))


def _count(count: object, of: int) -> str:
    """Write how many of some it is."""
    return tr("{count} of {of}", count=count, of=of)


def _perplexity(value: float) -> str:
    """Write a perplexity: of a base that knows nothing of the data it may be huge."""
    return f"{value:.2f}" if value < 1e5 else f"{value:.1e}"


def _aligned(cells: tuple[str, ...], widths: list[int]) -> str:
    """Lay a line of the table out: names from the left, figures from the right."""
    figures = (right_fitted(cell, width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return _GAP.join([fitted(cells[0], widths[0]), *figures])


def _pairs(values: Mapping[str, object]) -> str:
    """Write names with their values."""
    return listed(f"{name} {_value(value)}" for name, value in values.items() if value != "")


def _value(value: object) -> str:
    """Write a value briefly."""
    if isinstance(value, float):
        return rate_words(value) if 0 < abs(value) < 1e-2 else f"{value:g}"
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    return str(value)
