"""What a run did to keep to its plan, in words that dashboard and command line share."""

from __future__ import annotations

from engine.language import tr
from engine.tasks.events import (
    BestKept,
    Event,
    MemoryProbed,
    MicroBatchHalved,
    ReportFailed,
    ReportMade,
    RolledBack,
    SampleAnswered,
    StoppedEarly,
    StopTested,
)
from screens.format import loss_words, measured_words, rate_words


def keeping_words(event: Event) -> str:
    """Put such an event into words, without a full stop; empty for any other."""
    match event:
        case MemoryProbed():
            memory = measured_words(event.measured, event.predicted)
            return tr("longest batch: {memory}", memory=memory)
        case MicroBatchHalved():
            return tr(
                "memory ran out at step {step}: from now on at most {tokens} tokens at once,"
                " the same rows a step",
                step=event.step,
                tokens=f"{event.tokens:,}",
            )
        case RolledBack():
            return _rolled_back(event)
        case StoppedEarly(asked=True):
            return tr("finished early at step {step}", step=event.step)
        case StoppedEarly():
            return tr("stopped at step {step}: the held-out loss got no better", step=event.step)
        case BestKept():
            return tr(
                "kept the checkpoint of step {step}, held-out loss {loss}, the lowest",
                step=event.step,
                loss=loss_words(event.eval_loss),
            )
        case StopTested():
            return stop_test_words(event)
        case _:
            return _judging_words(event)


def _judging_words(event: Event) -> str:
    """Say what the adapter answers, and what it is worth."""
    match event:
        case SampleAnswered():
            said = " ".join(event.answer.split()).rstrip(".。") or tr("(nothing)")
            return tr("answer at step {step}: {answer}", step=event.step, answer=said)
        case ReportMade():
            return _report_words(event)
        case ReportFailed():
            reason = event.reason.rstrip(".。")
            return tr("no report could be made: {reason}; the adapter is saved", reason=reason)
        case _:
            return ""


def _report_words(event: ReportMade) -> str:
    """Say what the report found, on which rows."""
    figures = {
        "base": loss_words(event.base_loss),
        "adapter": loss_words(event.adapter_loss),
        "advice": event.advice.rstrip(".。"),
    }
    if event.judged_on == "held-out":
        return tr(
            "report: loss on held-out rows {base} → {adapter}, base → adapter; {advice}", **figures
        )
    return tr(
        "report: loss on training rows {base} → {adapter}, base → adapter; {advice}", **figures
    )


def stop_test_words(event: StopTested) -> str:
    """Say whether the adapter ends its answers."""
    ended, asked = event.ended, event.asked
    if ended == asked:
        return tr("{ended} of {asked} answers end by themselves", ended=ended, asked=asked)
    return tr(
        "warning: the adapter does not always end its answers: {ended} of {asked} ended within"
        " {limit} tokens",
        ended=ended,
        asked=asked,
        limit=f"{event.limit:,}",
    )


def _rolled_back(event: RolledBack) -> str:
    """Say where the training went back to, and which row made it."""
    where = {"step": event.step, "back": event.to_step, "rate": rate_words(event.learning_rate)}
    if not event.row:
        return tr(
            "the loss was no number at step {step}: back to step {back}, learning rate {rate}",
            **where,
        )
    return tr(
        "the loss was no number at step {step} because of row {row}: back to step {back},"
        " learning rate {rate}",
        row=f"{event.row:,}",
        **where,
    )
