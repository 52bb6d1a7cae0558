"""A task in a few lines: state, bar, figures, where it runs, where its adapter lies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from engine.language import tr
from engine.text import human_bytes, human_count, human_duration, human_left, visible
from screens.event_words import stop_test_words
from screens.format import (
    doing_words,
    finish_words,
    loss_words,
    moment_words,
    one_line,
    packed,
    priority_words,
    rate_words,
    short_name,
    sign_of,
)
from screens.load_words import load_facts, memory_words
from screens.widgets.findings import TONES

if TYPE_CHECKING:
    from textual import events

    from engine.machine_load import MachineLoad
    from engine.tasks.events import MemoryProbed, StepLogged, StopTested
    from engine.tasks.view import TaskView
    from screens.session import Session


class TaskSummary(Static):
    """The head of the task's screen."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(markup=False, id=id)
        self._session = session
        self.view: TaskView | None = None
        self._lines = 0
        self.last_step: StepLogged | None = None
        self.peak_memory: int | None = None
        """Bytes, once the task has ended."""
        self.probed: MemoryProbed | None = None
        self.stop_test: StopTested | None = None
        self.load: MachineLoad | None = None
        """What the machine does, while the task runs."""

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
            # Before the first layout: too narrow a guess would leave the panel too high.
            width = self.content_size.width or max(self.app.size.width - 4, 1)
            lines = [self._state(self.view, width), _bar(self.view, width)]
            lines += [*self._figures(self.view, width), *_notes(self.view, self.stop_test)]
            text = Content("\n").join(lines)
            height = text.get_height({}, width)
            self.update(text, layout=height != self._lines)
            self._lines = height

    def _state(self, view: TaskView, width: int) -> Content:
        """Say what the task does, and how long it will take or when it ended."""
        sign = sign_of(view)
        left = Content.assemble((sign.shown, f"bold {TONES[sign.tone]}"))
        if view.task.status == "running":
            left = left.append(f" · {doing_words(view)}")
        source = f"{short_name(view.task.base_model)} · {short_name(view.task.dataset_file)}"
        right = Content(self._time(view))
        room = max(width - right.cell_length - 1, 0)
        left = Content.assemble(left, (f"   {source}", "$muted"))
        return Content.assemble(left.truncate(room, ellipsis=True, pad=True), " ", right)

    def _time(self, view: TaskView) -> str:
        """Say how long it will take, or when it ended and after how long."""
        task = view.task
        if view.seconds_left is not None:
            return human_left(view.seconds_left, view.seconds_left_range)
        if task.completed_at is None:
            return ""
        ended = moment_words(task.completed_at, self._session.now())
        if task.seconds is None:
            return ended
        return tr("{when}, after {duration}", when=ended, duration=human_duration(task.seconds))

    def _figures(self, view: TaskView, width: int) -> list[Content]:
        """List the figures, in as many lines as they need."""
        loss = view.task.final_loss if view.task.status == "completed" else view.loss
        last = self.last_step
        facts = [
            (tr("place"), self._place(view)),
            (tr("priority"), priority_words(view)),
            (tr("step"), self._step(view)),
            (tr("epoch"), f"{view.task.current_epoch:.2f}" if view.task.current_epoch else ""),
            (tr("loss"), loss_words(loss) if loss is not None else ""),
            (tr("rate"), rate_words(last.learning_rate) if last else ""),
            (tr("tokens/s"), self._speed(view)),
            (tr("done"), self._done(view)),
            (tr("memory"), self._memory(view)),
            (tr("peak memory"), human_bytes(self.peak_memory) if self.peak_memory else ""),
            *(load_facts(self.load, view.task) if self.load else {}).items(),
            # Not "on" by itself, which is a switch's word too
            (tr("on {device}", device="").strip(), one_line(view.device)),
        ]  # pairs: two labels may be one word in another language
        cells = [
            Content.assemble((f"{label} ", "$muted"), words) for label, words in facts if words
        ]
        return packed(cells, width)

    def _step(self, view: TaskView) -> str:
        """Write how far it is; of an ended task only its own events tell."""
        far = view if view.max_steps else self.last_step
        return f"{far.step:,}/{far.max_steps:,}" if far else ""

    def _speed(self, view: TaskView) -> str:
        """Write how many tokens a second the training reads, once a step was measured."""
        speed = view.tokens_per_second if view.phase == "training" else None
        return human_count(speed) if speed else ""

    def _place(self, view: TaskView) -> str:
        """Say when a queued task's turn comes."""
        turns = self._session.turns() if view.task.status == "pending" else {}
        turn = turns.get(view.task.id)
        return tr("{place} of {of}", place=turn, of=len(turns)) if turn else ""

    def _done(self, view: TaskView) -> str:
        """Say when the training will be done."""
        if view.seconds_left is None:
            return ""
        now = self._session.now()
        done = finish_words(now + timedelta(seconds=view.seconds_left), now)
        return tr("about {time}", time=done)

    def _memory(self, view: TaskView) -> str:
        """Write what the worker holds now, beside what was probed and what the plan expected."""
        return "" if self.peak_memory else memory_words(self.load, view.task, self.probed)


def _bar(view: TaskView, width: int) -> Content:
    """Draw how far the task is."""
    share = view.task.progress / 100
    room = max(width - 6, 0)
    filled = round(share * room)
    return Content.assemble(
        ("━" * filled, TONES[sign_of(view).tone]), ("─" * (room - filled), "$faint"),
        f" {view.task.progress:3.0f} %",
    )  # fmt: skip


def _notes(view: TaskView, stop_test: StopTested | None) -> list[Content]:
    """Give the task's message, where the adapter lies, and whether it ends its answers."""
    notes = []
    if view.task.message and view.task.status != "completed":
        style = "$text-error" if view.task.status == "failed" else "$muted"
        notes.append(Content.styled(visible(view.task.message), style))
    if view.task.status == "completed":
        path = one_line(view.task.output_path)
        notes.append(Content.assemble((f"{tr('adapter')} ", "$muted"), path))
    if stop_test is not None and stop_test.ended < stop_test.asked:
        notes.append(Content.styled(f"▲ {stop_test_words(stop_test)}", "$text-warning"))
    return notes
