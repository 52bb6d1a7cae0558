"""A task's events as lines of a log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.tasks.events import (
    AdapterSaved,
    AnswersCompared,
    CheckpointSaved,
    DatasetPrepared,
    Evaluated,
    Event,
    PhaseEntered,
    RowsEncoded,
    StepLogged,
    TaskCompleted,
    TaskFailed,
    TaskStarted,
    TaskStopped,
)
from engine.text import human_bytes, human_duration, visible
from screens.event_words import keeping_words
from screens.format import loss_words, phase_words

if TYPE_CHECKING:
    from datetime import tzinfo


def event_line(event: Event, zone: tzinfo | None) -> str:
    """Write an event with its time of day; several lines only where its text has them."""
    moment = datetime.fromtimestamp(event.time, UTC).astimezone(zone)
    return f"{moment:%H:%M:%S}  {visible(_words(event))}"


def _words(event: Event) -> str:
    """Put an event into words."""
    match event:
        case StepLogged():
            return (
                f"step {event.step:>{len(str(event.max_steps))}}/{event.max_steps}"
                f"  loss {loss_words(event.loss)}  {event.seconds:.2f} s"
            )
        case PhaseEntered():
            return phase_words(event.phase)
        case TaskStarted():
            resumed = f", from step {event.resumed_from}" if event.resumed_from else ""
            return f"started on {event.device}{resumed}"
        case RowsEncoded():
            return f"{event.rows:,} of {event.of:,} rows prepared"
        case DatasetPrepared():
            return _prepared(event)
        case Evaluated():
            return f"held-out loss {loss_words(event.eval_loss)} at step {event.step}"
        case CheckpointSaved():
            return f"checkpoint saved at step {event.step}"
        case _:
            return _ending_words(event)


def _ending_words(event: Event) -> str:
    """Put what comes at a task's end into words."""
    match event:
        case AdapterSaved():
            return f"adapter saved, {human_bytes(event.size_bytes)}"
        case AnswersCompared():
            return "base and adapter answered a question"
        case TaskStopped():
            return f"stopped at step {event.step}"
        case TaskCompleted():
            return f"completed in {human_duration(event.seconds)}"
        case TaskFailed():
            return "\n".join(filter(None, (f"failed: {event.title}", event.message, event.hint)))
        case _:
            return keeping_words(event)


def _prepared(event: DatasetPrepared) -> str:
    """Say what the data became."""
    held = f", {event.eval_rows} held out" if event.eval_rows else ""
    cut = f", {event.rows_cut} cut" if event.rows_cut else ""
    cut += f", {event.rows_left_out} left out" if event.rows_left_out else ""
    return (
        f"{event.train_rows} rows{held}{cut}; {event.trained_tokens} of {event.tokens} tokens"
        " are trained"
    )
