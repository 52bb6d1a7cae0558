"""A task's events as lines of a log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.language import listed, tr
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
            return tr(
                "step {step}/{of}  loss {loss}  {seconds} s",
                step=f"{event.step:>{len(str(event.max_steps))}}",
                of=event.max_steps,
                loss=loss_words(event.loss),
                seconds=f"{event.seconds:.2f}",
            )
        case PhaseEntered():
            return phase_words(event.phase)
        case TaskStarted():
            return _started(event)
        case RowsEncoded():
            return tr("{rows} of {of} rows prepared", rows=f"{event.rows:,}", of=f"{event.of:,}")
        case DatasetPrepared():
            return _prepared(event)
        case Evaluated():
            loss = loss_words(event.eval_loss)
            return tr("held-out loss {loss} at step {step}", loss=loss, step=event.step)
        case CheckpointSaved():
            return tr("checkpoint saved at step {step}", step=event.step)
        case _:
            return _ending_words(event)


def _ending_words(event: Event) -> str:
    """Put what comes at a task's end into words."""
    match event:
        case AdapterSaved():
            return tr("adapter saved, {size}", size=human_bytes(event.size_bytes))
        case AnswersCompared():
            return tr("base and adapter answered a question")
        case TaskStopped():
            return tr("stopped at step {step}", step=event.step)
        case TaskCompleted():
            return tr("completed in {duration}", duration=human_duration(event.seconds))
        case TaskFailed():
            failed = tr("failed: {title}", title=event.title)
            return "\n".join(filter(None, (failed, event.message, event.hint)))
        case _:
            return keeping_words(event)


def _started(event: TaskStarted) -> str:
    """Say where a training runs, and from where it goes on."""
    if not event.resumed_from:
        return tr("started on {device}", device=event.device)
    step = event.resumed_from
    return tr("started on {device}, from step {step}", device=event.device, step=step)


def _prepared(event: DatasetPrepared) -> str:
    """Say what the data became."""
    rows = [tr("{rows} rows", rows=event.train_rows)]
    rows += [tr("{rows} held out", rows=event.eval_rows)] if event.eval_rows else []
    rows += [tr("{rows} cut", rows=event.rows_cut)] if event.rows_cut else []
    rows += [tr("{rows} left out", rows=event.rows_left_out)] if event.rows_left_out else []
    return tr(
        "{rows}; {trained} of {tokens} tokens are trained",
        rows=listed(rows),
        trained=event.trained_tokens,
        tokens=event.tokens,
    )
