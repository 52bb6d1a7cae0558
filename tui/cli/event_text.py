"""Events as lines of words, for a pipe and above the bar."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.language import tr
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
            return tr("Started on {device}.", device=event.device)
        case TaskStarted():
            return tr(
                "Goes on from step {step} on {device}.",
                step=event.resumed_from,
                device=event.device,
            )
        case PhaseEntered():
            return f"{tr(event.phase).capitalize()} ..."
        case RowsEncoded():
            return tr("{rows} of {of} rows prepared", rows=f"{event.rows:,}", of=f"{event.of:,}")
        case DatasetPrepared():
            return tr(
                "{train_rows} rows, {tokens} tokens, {trained_tokens} of them trained;"
                " {eval_rows} rows held out; {rows_cut} rows cut; {rows_left_out} left out.",
                **event.model_dump(),
            )
        case StepLogged():
            return tr(
                "step {step}/{max_steps}  epoch {epoch:.2f}  loss {loss:.4f}  {seconds:.1f} s",
                **event.model_dump(),
            )
        case Evaluated():
            return tr(
                "Loss on the held-out rows at step {step}: {eval_loss:.4f}", **event.model_dump()
            )
        case CheckpointSaved():
            return tr("Checkpoint at step {step}.", step=event.step)
        case _:
            return _describe_result(event)


def _describe_result(event: Event) -> str:
    """Put what comes out of a run into words."""
    match event:
        case AdapterSaved():
            size = human_bytes(event.size_bytes)
            return tr("Adapter saved in {path} ({size}).", path=event.path, size=size)
        case AnswersCompared():
            return _side_by_side(event)
        case _:
            words = keeping_words(event)
            return tr("{sentence}.", sentence=f"{words[0].upper()}{words[1:]}") if words else ""


def _side_by_side(event: AnswersCompared) -> str:
    """Set the base's and the adapter's answer to one question in two columns."""
    table = Table(
        tr("Base"),
        tr("Adapter"),
        title=Text(tr("Question: {question}", question=visible(event.question))),
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
