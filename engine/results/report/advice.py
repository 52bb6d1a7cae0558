"""What should be done next, as curves, scores and answers say: in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.results.report.curves import has_risen, is_falling, lowest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.results.report.types import Report

_HARDLY = 0.98
"""Share of the base's loss above which an adapter has hardly learned."""


def advise(report: Report) -> str:
    """Say what to do about what is most wrong, and about what is next."""
    said = list(_said(report))[:2]
    if not said:
        return "Nothing in the curves or the answers speaks against this adapter."
    return " ".join(said)


def _said(report: Report) -> Iterator[str]:
    """Give what there is to say, the gravest first."""
    if report.adapter.loss > _HARDLY * report.base.loss:
        yield _learned_little(report)
    if report.ended < report.asked:
        yield (
            f"{report.asked - report.ended} of {report.asked} answers did not end by themselves: "
            "train longer, or look whether the rows' answers are cut off."
        )
    if report.overfitting in ("slight", "strong"):
        yield _overfitted(report)
    elif has_risen(report.eval_curve):
        yield f"{_risen(report)}; a lower learning rate{_rate(report)} may help."
    elif is_falling(report.eval_curve) and report.adapter.loss <= _HARDLY * report.base.loss:
        yield "The held-out loss still fell at the end: more epochs may help."
    if report.judged_on == "training":
        yield (
            "No rows were held out, so this tells how well the training rows are known, not new "
            "questions: set eval_rows, or ask it in a chat."
        )


def _learned_little(report: Report) -> str:
    """Say what helps an adapter that is hardly better than its base, or worse."""
    now = _rate(report)
    if report.adapter.loss > report.base.loss and report.judged_on == "training":
        return f"It knows even its own rows no better than its base: lower the learning rate{now}."
    if report.adapter.loss > report.base.loss:
        return (
            "On the held-out rows the adapter is no better than its base: lower the learning "
            f"rate{now}, or look whether these rows are of another kind than the others."
        )
    return f"It has hardly learned: raise the learning rate{now}, or train more epochs."


def _overfitted(report: Report) -> str:
    """Say from which step on the training learned its rows by heart, and what helps."""
    if not has_risen(report.eval_curve):
        return (
            "It knows the training rows far better than others: more rows, or a smaller "
            "lora_rank, would help it more than more epochs."
        )
    return (
        f"{_risen(report)}: the rows were learned by heart. Fewer epochs would do, and more rows "
        "would help."
    )


def _risen(report: Report) -> str:
    """Say from which step on the held-out loss rose, and what the result is."""
    best, last = lowest(report.eval_curve), report.eval_curve[-1]
    return (
        f"The held-out loss rose from {best.loss:.3f} at step {best.step:,}, which was kept, to "
        f"{last.loss:.3f} at step {last.step:,}"
    )


def _rate(report: Report) -> str:
    """Give the learning rate in brackets, where it is known."""
    rate = report.training_params.get("learning_rate")
    return f" (now {rate:g})" if isinstance(rate, float) else ""
