"""How figures, states and times are written; in cells, so that Chinese keeps columns straight."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from engine.language import mark, tr
from engine.text import human_bytes, visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.style import Style
    from textual.content import Content

    from engine.errors import LoraDeckError
    from engine.tasks.view import TaskView


class Sign(NamedTuple):
    """A state by shape, word and tone; the tone names a colour of the theme."""

    glyph: str
    word: str
    tone: str

    @property
    def shown(self) -> str:
        """Glyph and word, in the language that is spoken."""
        return f"{self.glyph} {tr(self.word)}"


STATES = {
    "pending": Sign("○", mark("queued"), "dim"),
    "running": Sign("►", mark("running"), "run"),
    "paused": Sign("‖", mark("paused"), "warn"),
    "completed": Sign("✓", mark("completed"), "good"),
    "failed": Sign("✗", mark("failed"), "bad"),
    "cancelled": Sign("■", mark("cancelled"), "dim"),
}
LEVELS = {
    "error": Sign("✗", mark("error"), "bad"),
    "warning": Sign("▲", mark("warning"), "warn"),
    "note": Sign("•", mark("note"), "dim"),
}
PHASES = {
    "preparing": mark("preparing the data"),
    "loading": mark("loading the model"),
    "training": mark("training"),
    "answering": mark("asking base and adapter"),
    "saving": mark("saving the adapter"),
}
_ASKED = {
    "pause": Sign("■", mark("pausing"), "warn"),
    "cancel": Sign("■", mark("cancelling"), "warn"),
    "discard": Sign("■", mark("cancelling"), "warn"),
    "finish": Sign("■", mark("finishing"), "run"),
}
_MONTHS = (
    mark("Jan"), mark("Feb"), mark("Mar"), mark("Apr"), mark("May"), mark("Jun"),
    mark("Jul"), mark("Aug"), mark("Sep"), mark("Oct"), mark("Nov"), mark("Dec"),
)  # fmt: skip
_DAYS = (
    mark("Mon"), mark("Tue"), mark("Wed"), mark("Thu"), mark("Fri"), mark("Sat"), mark("Sun"),
)  # fmt: skip
_OPTIONS = re.compile(r" \(--[^()]*\)")
_WEEK = 6  # days in which the name of a day says which one
_NAMES_KEPT = 4096
_SPARKS = "▁▂▃▄▅▆▇█"


def sign_of(view: TaskView) -> Sign:
    """Give a task's state; one that was asked to stop says so."""
    task = view.task
    if task.requested and task.status in ("running", "pending"):
        return _ASKED[task.requested]
    return STATES[task.status]


def one_line(text: str) -> str:
    """Make text safe and give it a single line."""
    return " ".join(visible(text).split())


@lru_cache(_NAMES_KEPT)  # thousands of tasks share a few of them
def short_name(given: str) -> str:
    """Give the last part of a path; a hub's or a plain name stays whole."""
    return one_line(PurePath(given).name if PurePath(given).is_absolute() else given)


def hint_words(hint: str) -> str:
    """Say what to do next, without the command line's options: they stand in brackets."""
    return visible(_OPTIONS.sub("", hint))


def refusal_words(error: LoraDeckError) -> str:
    """Say in one paragraph why something will not do, and what to do next."""
    return " ".join(filter(None, (visible(error.message), hint_words(error.hint))))


def phase_words(phase: str) -> str:
    """Say what a worker does now."""
    return tr(PHASES[phase]) if phase in PHASES else one_line(phase)


def doing_words(view: TaskView) -> str:
    """Say what a running task does, also before its worker's first phase and after its last."""
    return phase_words(view.phase) or (
        tr("ending") if view.task.progress >= 100 else tr("starting")
    )


def loss_words(loss: float | None) -> str:
    """Write a loss with three decimals; a dash where none was measured."""
    return "–" if loss is None else f"{loss:.3f}"


def rate_words(rate: float) -> str:
    """Write a learning rate briefly: ``2e-4``."""
    mantissa, exponent = f"{rate:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def moment_words(moment: datetime, now: datetime) -> str:
    """Write when something happened: the time today, else the day."""
    there = moment.astimezone(now.tzinfo)
    if there.date() == now.date():
        return f"{there:%H:%M}"
    if there.year == now.year:
        return _day_words(there.day, there.month)
    return f"{there:%Y-%m}"


def moments_width() -> int:
    """Give the cells that the longest of such words take, to put them under one another."""
    return cell_len(_day_words(30, 12))


def _day_words(day: int, month: int) -> str:
    """Write a day of a year."""
    return tr("{day} {month}", day=day, month=tr(_MONTHS[month - 1]))


def finish_words(moment: datetime, now: datetime) -> str:
    """Write when something will be done: the time today, else the day as well."""
    there = moment.astimezone(now.tzinfo)
    if there.date() == now.date():
        return f"{there:%H:%M}"
    if (there - now).days < _WEEK:
        return f"{tr(_DAYS[there.weekday()])} {there:%H:%M}"
    return _day_words(there.day, there.month)


def measured_words(measured: int, predicted: int) -> str:
    """Write the memory that was measured beside what the plan expected."""
    return tr(
        "{measured}, predicted {predicted}",
        measured=human_bytes(measured),
        predicted=human_bytes(predicted),
    )


def priority_words(view: TaskView) -> str:
    """Write a waiting task's priority, with its sign; empty where it is the usual one."""
    task = view.task
    waiting = task.status in ("pending", "paused")
    return f"{task.priority:+d}".replace("-", "−") if waiting and task.priority else ""


def figures(view: TaskView) -> list[str]:
    """Write a task's step, epoch and loss, as far as they are known."""
    words = []
    if view.max_steps:
        words.append(tr("step {step}/{of}", step=f"{view.step:,}", of=f"{view.max_steps:,}"))
    if view.task.current_epoch:
        words.append(tr("epoch {epoch}", epoch=f"{view.task.current_epoch:.1f}"))
    if view.loss is not None:
        words.append(tr("loss {loss}", loss=loss_words(view.loss)))
    return words


def bar(share: float, width: int, done: Style | str, rest: Style | str) -> Text:
    """Draw a determinate bar; done and rest differ in shape as well."""
    filled = round(max(0.0, min(share, 1.0)) * width)
    return Text.assemble(("━" * filled, done), ("─" * (width - filled), rest))


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw the last values as blocks, the smallest lowest; at most ``width`` of them."""
    points = [value for value in values if math.isfinite(value)][-max(width, 0) :] if width else []
    if len(points) < 2:
        return ""
    low, high = min(points), max(points)
    scale = (len(_SPARKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_SPARKS[round((value - low) * scale)] for value in points)


def fitted(text: str, width: int) -> str:
    """Cut text to a number of cells, with an ellipsis, and fill it up to them."""
    line = Text(text, end="")
    line.truncate(max(width, 0), overflow="ellipsis", pad=True)
    return line.plain


def right_fitted(text: str, width: int) -> str:
    """Fill text up to a number of cells from the left, as figures stand in a column."""
    return " " * (width - cell_len(text)) + text


def two_sided(left: Text, right: Text, width: int) -> Text:
    """Put two texts at the ends of a line; the left one is cut where they would meet."""
    room = max(width - right.cell_len - (1 if right.cell_len else 0), 0)
    line = left.copy()
    line.truncate(room, overflow="ellipsis", pad=True)
    if right.cell_len:
        line.append(" ")
        line.append_text(right)
    return line


def packed(cells: Sequence[Content], width: int, gap: str = "   ") -> list[Content]:
    """Put cells into lines, none of them broken."""
    lines: list[Content] = []
    for cell in cells:
        if lines and lines[-1].cell_length + len(gap) + cell.cell_length <= width:
            lines[-1] = lines[-1] + gap + cell
        else:
            lines.append(cell)
    return lines


def widest(words: Sequence[str]) -> int:
    """Measure the widest of some words, in cells."""
    return max((cell_len(word) for word in words), default=0)
