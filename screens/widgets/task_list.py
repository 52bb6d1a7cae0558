"""The tasks: running ones with bar, figures and sparkline, then queued, then the newest ended."""

from __future__ import annotations

from datetime import timedelta
from heapq import nsmallest
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType

from engine.language import tr, trn
from engine.tasks.queue import turn
from engine.text import human_bytes, human_left
from screens.format import (
    STATES,
    bar,
    doing_words,
    figures,
    finish_words,
    fitted,
    loss_words,
    moment_words,
    moments_width,
    one_line,
    priority_words,
    right_fitted,
    sign_of,
    sparkline,
    two_sided,
)
from screens.widgets.line_list import LineList
from screens.widgets.task_actions import TaskActions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from engine.tasks.view import TaskView
    from screens.messages import TasksChanged
    from screens.session import Session

_STATE_WIDTH = 12
_INDENT = "  "
_ROOMY = 70  # cells in which a running task also tells when it ends and what memory it takes
_ORDER = {"running": 0, "paused": 1, "pending": 2}
_ENDED = 3
_ENDED_SHOWN = 200
HISTORY = "history"
"""The key of the last line where there are more ended tasks; no task's id has such letters."""


class TaskList(LineList["TaskView | None"], TaskActions):
    """The tasks under way and the newest ended ones; ``None`` is the line that tells of the rest.

    Follows the session.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Open", key_display="enter", id="tasks.open",
                tooltip="Open the task's screen"),
        Binding("c", "chat", "Chat", show=False, id="task.chat",
                tooltip="Talk to the finished adapter"),
    ]  # fmt: skip

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(tr("No task yet. What you start appears here."), id=id)
        self.border_title = tr("Tasks")
        self.session = session
        self._turns: Mapping[str, int] = {}
        self._more = 0
        self._offered: frozenset[str] = frozenset()

    @property
    def view(self) -> TaskView | None:
        """The task under the cursor."""
        return self.session.tasks.get(self.cursor or "")

    def take(self, message: TasksChanged) -> None:
        """Show what changed; only a change of state or height sorts the list anew."""
        changed = [self.session.tasks[key] for key in message.changed & self.session.tasks.keys()]
        if message.removed or any(self._goes_on(view) for view in changed):
            self.show_all()
        elif any(self._moved(view) for view in changed):
            self._sort(self.items.keys() | message.changed)
        else:
            for view in changed:
                self.update_item(view.task.id, view)
            self.offer()

    def show_all(self) -> None:
        """Sort and show the tasks."""
        self._sort(self.session.tasks.keys())

    def _sort(self, keys: Collection[str]) -> None:
        """Sort and show what is under way, and of these ended tasks the newest."""
        tasks, going = self.session.tasks, self.session.going
        ended = (tasks[key] for key in keys if key in tasks and key not in going)
        views = [*sorted(going.values(), key=_rank), *nsmallest(_ENDED_SHOWN, ended, key=_rank)]
        self._turns = self.session.turns()
        self._more = len(tasks) - len(views)
        items: dict[str, TaskView | None] = {view.task.id: view for view in views}
        self.show(items | {HISTORY: None} if self._more else items)
        self.offer()

    @on(LineList.Highlighted)
    def offer(self) -> None:
        """Let the footer follow what the task under the cursor allows; drawing it is dear."""
        if self._offered != (offered := self.allowed()):
            self._offered = offered
            self.refresh_bindings()

    def _goes_on(self, now: TaskView) -> bool:
        """Tell whether an ended task is under way again, and leaves its place to an older one."""
        before = self.items.get(now.task.id)
        return before is not None and before.task.status.ended and not now.task.status.ended

    def _moved(self, now: TaskView) -> bool:
        """Tell whether a task is new here, or its place or height another now."""
        before = self.items.get(now.task.id)
        if before is None:
            return True
        return _rank(before) != _rank(now) or self.height_of(before) != self.height_of(now)

    def height_of(self, item: TaskView | None) -> int:
        """Running tasks take three lines, all others one; one more where there are words."""
        if item is None:
            return 1
        return (3 if item.task.status == "running" else 1) + _has_words(item)

    def lines_of(self, item: TaskView | None, width: int) -> list[Text]:
        """Draw a task, or the line that tells of the rest."""
        if item is None:
            words = trn("{count:,} more task in the history", "{count:,} more tasks in the history",
                        self._more)  # fmt: skip
            return [
                two_sided(Text(f"… {words}", self.tone("dim")), Text("H", self.tone("dim")), width)
            ]
        if item.task.status == "running":
            lines = self._lines_of_running(item, width)
            return [*lines, *self._words(item, width)]
        right = self._ending(item) if item.task.status.ended else self._priority(item)
        return [self._first(item, right, width), *self._words(item, width)]

    def _words(self, view: TaskView, width: int) -> list[Text]:
        """Draw what a task has to say beyond its state."""
        if not _has_words(view):
            return []
        words = fitted(one_line(view.task.message), width - len(_INDENT))
        return [Text(_INDENT + words, style=self.tone("dim"))]

    def _lines_of_running(self, view: TaskView, width: int) -> list[Text]:
        """Draw a running task: name and time left, the bar, the figures and the loss's course."""
        roomy = width >= _ROOMY
        share = f" {view.task.progress:3.0f} %"
        room = width - len(_INDENT) - len(share)
        drawn = bar(view.task.progress / 100, room, self.tone("run"), self.tone("rest"))
        line = Text(_INDENT).append_text(drawn).append(share)
        facts = [*figures(view), *(_memory(view) if roomy else [])]
        words = Text(_INDENT + " · ".join(facts), style=self.tone("dim"))
        words.truncate(width, overflow="ellipsis")
        spark = sparkline(view.losses, min(width - words.cell_len - 2, 40))
        last = two_sided(words, Text(spark, style=self.tone("run")), width)
        return [self._first(view, Text(self._left(view, roomy=roomy)), width), line, last]

    def _left(self, view: TaskView, *, roomy: bool) -> str:
        """Say how long a task will take, or what it does before that is known."""
        if view.seconds_left is None:
            return doing_words(view)
        words = human_left(view.seconds_left, view.seconds_left_range)
        now = self.session.now()
        done = finish_words(now + timedelta(seconds=view.seconds_left), now)
        return tr("{left}, done {time}", left=words, time=done) if roomy else words

    def _first(self, view: TaskView, right: Text, width: int) -> Text:
        """Draw the first line: state by glyph and word, name, and what stands at the right."""
        sign = sign_of(view)
        number = f" {self._turns[view.task.id]}" if sign is STATES["pending"] else ""
        style = self.tone("strong" if view.task.status == "running" else "plain")
        left = Text.assemble(
            (f"{fitted(sign.shown + number, _STATE_WIDTH)} ", self.tone(sign.tone)),
            (one_line(view.task.task_name), style),
        )
        return two_sided(left, right, width)

    def _priority(self, view: TaskView) -> Text:
        """Draw a task's priority, where it is not the usual one."""
        words = priority_words(view)
        return Text(tr("priority {priority}", priority=words) if words else "", self.tone("dim"))

    def _ending(self, view: TaskView) -> Text:
        """Draw how a task ended and when."""
        loss = view.task.final_loss
        words = tr("loss {loss}", loss=loss_words(loss)) + "  " if loss is not None else ""
        ended = moment_words(_ended_at(view), self.session.now())
        return Text(words + right_fitted(ended, moments_width()), self.tone("dim"))


def _memory(view: TaskView) -> list[str]:
    """Write the memory that was measured, beside what the plan expected."""
    if view.memory_measured is None or view.memory_predicted is None:
        return []
    measured, planned = human_bytes(view.memory_measured), human_bytes(view.memory_predicted)
    return [tr("{measured} (plan {planned})", measured=measured, planned=planned)]


def _has_words(view: TaskView) -> bool:
    """Tell whether a task has something to say beyond its state."""
    task = view.task
    asked = task.status == "running" and task.requested  # the state says it
    return bool(task.message) and task.status != "completed" and not asked


def _ended_at(view: TaskView) -> datetime:
    """Tell when a task ended, or was made."""
    return view.task.completed_at or view.task.created_at


def _rank(view: TaskView) -> tuple[int, float, float]:
    """Order tasks: running ones, paused ones, queued ones by their turn, the last ended first."""
    task = view.task
    order = _ORDER.get(task.status, _ENDED)
    if order == _ENDED:
        return order, -_ended_at(view).timestamp(), 0
    if task.status == "pending":
        return order, *turn(task)
    return order, (task.started_at or task.created_at).timestamp(), 0
