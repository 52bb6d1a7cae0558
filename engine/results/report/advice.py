"""What should be done next, as curves, scores and answers say: in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import tr
from engine.results.report.curves import has_risen, is_falling, lowest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.results.report.types import Report

_HARDLY = 0.98
"""Share of the base's loss above which an adapter has hardly learned."""


def told(report: Report) -> Report:
    """Give a report with its advice in the language that is spoken: it is kept in English."""
    return report.model_copy(update={"advice": advise(report)}) if report.advice else report


def advise(report: Report) -> str:
    """Say what to do about what is most wrong, and about what is next."""
    said = list(_said(report))[:2]
    if not said:
        return tr("Nothing in the curves or the answers speaks against this adapter.")
    return " ".join(said)


def _said(report: Report) -> Iterator[str]:
    """Give what there is to say, the gravest first."""
    if report.adapter.loss > _HARDLY * report.base.loss:
        yield _learned_little(report)
    if report.ended < report.asked:
        yield tr(
            "{count} of {asked} answers did not end by themselves: train longer, or look whether "
            "the rows' answers are cut off.",
            count=report.asked - report.ended,
            asked=report.asked,
        )
    if report.overfitting in ("slight", "strong"):
        yield _overfitted(report)
    elif has_risen(report.eval_curve):
        yield tr(
            "The held-out loss rose from {best:.3f} at step {step:,}, which was kept, to "
            "{last:.3f} at step {end:,}; a lower learning rate{now} may help.",
            **_risen(report),
            now=_rate(report),
        )
    elif is_falling(report.eval_curve) and report.adapter.loss <= _HARDLY * report.base.loss:
        yield tr("The held-out loss still fell at the end: more epochs may help.")
    if report.judged_on == "training":
        yield tr(
            "No rows were held out, so this tells how well the training rows are known, not new "
            "questions: set eval_rows, or ask it in a chat."
        )


def _learned_little(report: Report) -> str:
    """Say what helps an adapter that is hardly better than its base, or worse."""
    now = _rate(report)
    if report.adapter.loss > report.base.loss and report.judged_on == "training":
        return tr(
            "It knows even its own rows no better than its base: lower the learning rate{now}.",
            now=now,
        )
    if report.adapter.loss > report.base.loss:
        return tr(
            "On the held-out rows the adapter is no better than its base: lower the learning "
            "rate{now}, or look whether these rows are of another kind than the others.",
            now=now,
        )
    return tr("It has hardly learned: raise the learning rate{now}, or train more epochs.", now=now)


def _overfitted(report: Report) -> str:
    """Say from which step on the training learned its rows by heart, and what helps."""
    if not has_risen(report.eval_curve):
        return tr(
            "It knows the training rows far better than others: more rows, or a smaller "
            "lora_rank, would help it more than more epochs."
        )
    return tr(
        "The held-out loss rose from {best:.3f} at step {step:,}, which was kept, to {last:.3f} "
        "at step {end:,}: the rows were learned by heart. Fewer epochs would do, and more rows "
        "would help.",
        **_risen(report),
    )


def _risen(report: Report) -> dict[str, float]:
    """Give where the held-out loss was lowest, and where it has risen to."""
    best, last = lowest(report.eval_curve), report.eval_curve[-1]
    return {"best": best.loss, "step": best.step, "last": last.loss, "end": last.step}


def _rate(report: Report) -> str:
    """Give the learning rate in brackets, where it is known."""
    rate = report.training_params.get("learning_rate")
    return tr(" (now {rate:g})", rate=rate) if isinstance(rate, float) else ""
