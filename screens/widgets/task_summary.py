"""A task in a few lines: state, bar, figures, where it runs, where its adapter lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from engine.text import human_bytes, human_count, human_duration, visible
from screens.format import (
    loss_words,
    moment_words,
    one_line,
    packed,
    phase_words,
    rate_words,
    sign_of,
)

if TYPE_CHECKING:
    from textual import events

    from engine.tasks.view import TaskView
    from screens.session import Session

_STYLES = {
    "dim": "$muted", "run": "$text-primary", "good": "$text-success",
    "warn": "$text-warning", "bad": "$text-error",
}  # fmt: skip


class TaskSummary(Static):
    """The head of the task's screen."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(markup=False, id=id)
        self._session = session
        self.view: TaskView | None = None
        self._lines = 0
        self.learning_rate: float | None = None
        self.peak_memory: int | None = None
        """Bytes, once the task has ended."""

    def put(self, view: TaskView) -> None:
        """Show a task."""
        self.view = view
        self._draw()

    def on_resize(self, _: events.Resize) -> None:
        """Draw for the new width."""
        self._draw()

    def _draw(self) -> None:
        """Draw the task for the present width."""
        if self.view is not None:
            width = self.content_size.width
            lines = [self._state(self.view, width), _bar(self.view, width)]
            lines += [*self._figures(self.view, width), *_notes(self.view)]
            text = Content("\n").join(lines)
            height = text.get_height({}, max(width, 1))
            self.update(text, layout=height != self._lines)
            self._lines = height

    def _state(self, view: TaskView, width: int) -> Content:
        """Say what the task does, and how long it will take or when it ended."""
        sign = sign_of(view)
        left = Content.assemble((f"{sign.glyph} {sign.word}", f"bold {_STYLES[sign.tone]}"))
        if view.phase:
            left = left.append(f" · {phase_words(view.phase)}")
        source = f"{one_line(view.task.base_model)} · {one_line(view.task.dataset_file)}"
        right = Content(self._time(view))
        room = max(width - right.cell_length - 1, 0)
        left = Content.assemble(left, (f"   {source}", "$muted"))
        return Content.assemble(left.truncate(room, ellipsis=True, pad=True), " ", right)

    def _time(self, view: TaskView) -> str:
        """Say how long it will take, or when it ended and after how long."""
        task = view.task
        if view.seconds_left is not None:
            return f"{human_duration(view.seconds_left)} left"
        if task.completed_at is None:
            return ""
        ended = moment_words(task.completed_at, self._session.now())
        if task.started_at is None:
            return ended
        took = (task.completed_at - task.started_at).total_seconds()
        return f"{ended}, after {human_duration(took)}"

    def _figures(self, view: TaskView, width: int) -> list[Content]:
        """List the figures, in as many lines as they need."""
        loss = view.task.final_loss if view.task.status == "completed" else view.loss
        facts = {
            "step": f"{view.step}/{view.max_steps}" if view.max_steps else "",
            "epoch": f"{view.task.current_epoch:.2f}" if view.task.current_epoch else "",
            "loss": loss_words(loss) if loss is not None else "",
            "rate": rate_words(self.learning_rate) if self.learning_rate is not None else "",
            "tokens/s": human_count(view.tokens_per_second) if view.tokens_per_second else "",
            "peak memory": human_bytes(self.peak_memory) if self.peak_memory else "",
            "on": one_line(view.device),
        }
        cells = [
            Content.assemble((f"{label} ", "$muted"), words)
            for label, words in facts.items()
            if words
        ]
        return packed(cells, width)


def _bar(view: TaskView, width: int) -> Content:
    """Draw how far the task is."""
    share = view.task.progress / 100
    room = max(width - 6, 0)
    filled = round(share * room)
    return Content.assemble(
        ("━" * filled, _STYLES[sign_of(view).tone]), ("─" * (room - filled), "$faint"),
        f" {view.task.progress:3.0f} %",
    )  # fmt: skip


def _notes(view: TaskView) -> list[Content]:
    """Give the task's message, and where the finished adapter lies."""
    notes = []
    if view.task.message and view.task.status != "completed":
        style = "$text-error" if view.task.status == "failed" else "$muted"
        notes.append(Content.styled(visible(view.task.message), style))
    if view.task.status == "completed":
        path = one_line(view.task.output_path)
        notes.append(Content.assemble(("adapter ", "$muted"), path))
    return notes
