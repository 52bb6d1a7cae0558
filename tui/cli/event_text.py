"""Events as lines of words, for a pipe and above the bar."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

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
    TaskStarted,
)
from engine.text import human_bytes, visible
from screens.event_words import keeping_words


def describe(event: Event) -> str:
    """Put an event into a line of words; empty for those that need none."""
    match event:
        case TaskStarted(resumed_from=0):
            return f"Started on {event.device}."
        case TaskStarted():
            return f"Goes on from step {event.resumed_from} on {event.device}."
        case PhaseEntered():
            return f"{event.phase.capitalize()} ..."
        case RowsEncoded():
            return f"{event.rows:,} of {event.of:,} rows prepared"
        case DatasetPrepared():
            return (
                f"{event.train_rows} rows, {event.tokens} tokens, {event.trained_tokens} of "
                f"them trained; {event.eval_rows} rows held out; {event.rows_cut} rows cut; "
                f"{event.rows_left_out} left out."
            )
        case StepLogged():
            return (
                f"step {event.step}/{event.max_steps}  epoch {event.epoch:.2f}  "
                f"loss {event.loss:.4f}  {event.seconds:.1f} s"
            )
        case Evaluated():
            return f"Loss on the held-out rows at step {event.step}: {event.eval_loss:.4f}"
        case CheckpointSaved():
            return f"Checkpoint at step {event.step}."
        case _:
            return _describe_result(event)


def _describe_result(event: Event) -> str:
    """Put what comes out of a run into words."""
    match event:
        case AdapterSaved():
            return f"Adapter saved in {event.path} ({human_bytes(event.size_bytes)})."
        case AnswersCompared():
            return _side_by_side(event)
        case _:
            words = keeping_words(event)
            return f"{words[0].upper()}{words[1:]}." if words else ""


def _side_by_side(event: AnswersCompared) -> str:
    """Set the base's and the adapter's answer to one question in two columns."""
    table = Table(
        "Base",
        "Adapter",
        title=Text(f"Question: {visible(event.question)}"),
        title_justify="left",
        expand=True,
        show_lines=False,
    )
    table.columns[0].ratio = table.columns[1].ratio = 1
    table.add_row(*(Text(visible(answer)) for answer in (event.base_answer, event.adapter_answer)))
    console = Console(width=min(100, Console().width), color_system=None)
    with console.capture() as captured:
        console.print(table)
    return "\n" + captured.get()
