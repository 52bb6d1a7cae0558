"""What a run did to keep to its plan, in words that dashboard and command line share."""

from __future__ import annotations

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
            return f"longest batch: {measured_words(event.measured, event.predicted)}"
        case MicroBatchHalved():
            return (
                f"memory ran out at step {event.step}: from now on at most {event.tokens:,} "
                "tokens at once, the same rows a step"
            )
        case RolledBack():
            return _rolled_back(event)
        case StoppedEarly():
            return f"stopped at step {event.step}: the held-out loss got no better"
        case BestKept():
            loss = loss_words(event.eval_loss)
            return f"kept the checkpoint of step {event.step}, held-out loss {loss}, the lowest"
        case StopTested():
            return stop_test_words(event)
        case _:
            return _judging_words(event)


def _judging_words(event: Event) -> str:
    """Say what the adapter answers, and what it is worth."""
    match event:
        case SampleAnswered():
            said = " ".join(event.answer.split())
            return f"answer at step {event.step}: {said.rstrip('.') or '(nothing)'}"
        case ReportMade():
            rows = "held-out rows" if event.judged_on == "held-out" else "training rows"
            losses = f"{loss_words(event.base_loss)} → {loss_words(event.adapter_loss)}"
            return f"report: loss on {rows} {losses}, base → adapter; {event.advice.rstrip('.')}"
        case ReportFailed():
            return f"no report could be made: {event.reason.rstrip('.')}; the adapter is saved"
        case _:
            return ""


def stop_test_words(event: StopTested) -> str:
    """Say whether the adapter ends its answers."""
    if event.ended == event.asked:
        return f"{event.ended} of {event.asked} answers end by themselves"
    return (
        f"warning: the adapter does not always end its answers: {event.ended} of {event.asked} "
        f"ended within {event.limit:,} tokens"
    )


def _rolled_back(event: RolledBack) -> str:
    """Say where the training went back to, and which row made it."""
    row = f" because of row {event.row:,}" if event.row else ""
    return (
        f"the loss was no number at step {event.step}{row}: back to step {event.to_step}, "
        f"learning rate {rate_words(event.learning_rate)}"
    )
