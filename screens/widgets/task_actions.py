"""What can be done with the task that a screen or a list has before it, as its state allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from engine.errors import ConflictError
from engine.language import tr
from screens.base import DeckScreen, ShowsFailures
from screens.layers import ask, open_above
from screens.messages import TasksChanged
from screens.task_rules import ACTIONS, WAITING, allowed, has_learnt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from engine.server.client import EngineClient
    from engine.tasks.queue import Where
    from engine.tasks.record import TaskRecord
    from engine.tasks.view import TaskView
    from screens.session import Session

    Wish = Callable[[EngineClient, TaskRecord], Awaitable[TaskRecord]]

_HIGHEST = 100
"""The highest priority; the lowest is as far below 0."""
PRIORITY_KEYS: list[BindingType] = [
    Binding("plus,equals_sign", "prioritize(1)", "Higher", key_display="+", show=False,
            id="task.raise", tooltip="Raise the task's priority"),
    Binding("minus", "prioritize(-1)", "Lower", show=False, id="task.lower",
            tooltip="Lower the task's priority"),
]  # fmt: skip


class TaskActions(ShowsFailures, Widget):
    """Keys and actions for one task; the screen or list says which.

    To be named after the class that a screen or widget otherwise is, so that it keeps its look.
    """

    session: Session

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause", id="task.pause",
                tooltip="Pause the training: its memory is free until it is resumed"),
        Binding("p", "hold", "Hold back", id="task.hold",
                tooltip="Hold the queued task back until it is resumed"),
        Binding("p", "resume", "Resume", id="task.resume",
                tooltip="Let the task go on from its newest checkpoint"),
        Binding("K", "reorder('up')", "Up", show=False, id="task.earlier",
                tooltip="Move the queued task up"),
        Binding("J", "reorder('down')", "Down", show=False, id="task.later",
                tooltip="Move the queued task down"),
        Binding("less_than_sign", "reorder('first')", "First", show=False, id="task.first",
                tooltip="Move the queued task before all of its priority"),
        Binding("greater_than_sign", "reorder('last')", "Last", show=False, id="task.last",
                tooltip="Move the queued task behind all of its priority"),
        *PRIORITY_KEYS,
    ]  # fmt: skip

    @property
    def view(self) -> TaskView | None:
        """The task that the actions are for, as the session holds it now."""
        raise NotImplementedError

    def allowed(self) -> frozenset[str]:
        """Name the actions that the task's state allows."""
        return allowed(self.view) if self.view else frozenset()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer what the task's state allows."""
        return action not in ACTIONS or action in self.allowed()

    def action_chat(self) -> None:
        """Talk to the finished adapter."""
        from screens.chat import ChatScreen
        from screens.partner import of_task

        if (view := self.view) is not None:
            open_above(self, ChatScreen(self.session, of_task(view.task)))

    @work(group="wish", exit_on_error=False)
    async def action_pause(self) -> None:
        """Pause the training."""
        await self._carry_out(lambda client, task: client.pause(task.id))

    def action_hold(self) -> None:
        """Hold the queued task back."""
        self.action_pause()

    @work(group="wish", exit_on_error=False)
    async def action_resume(self) -> None:
        """Let the task go on."""
        await self._carry_out(lambda client, task: client.resume(task.id))

    @work(group="wish", exit_on_error=False)
    async def action_reorder(self, where: Where) -> None:
        """Move the queued task."""
        await self._carry_out(lambda client, task: client.move(task.id, where))

    @work(group="wish", exit_on_error=False)
    async def action_prioritize(self, by: int) -> None:
        """Raise or lower the task's priority."""

        def bounded(task: TaskRecord) -> int:
            return max(-_HIGHEST, min(task.priority + by, _HIGHEST))

        await self._carry_out(lambda client, task: client.prioritize(task.id, bounded(task)))

    @work(group="wish", exit_on_error=False)
    async def action_finish(self) -> None:
        """End the training early, once the user has confirmed it."""
        from screens.dialogs import ConfirmDialog

        if (view := self.view) is None:
            return
        question = ConfirmDialog(
            tr("Finish early?"),
            tr("'{name}' ends where it is, and what it has learnt becomes the adapter. It cannot be"
               " trained on after that.", name=view.task.task_name),
            yes=tr("Finish it"), no=tr("Let it be"),
        )  # fmt: skip
        if await ask(self, question):
            await self._carry_out(lambda client, task: client.finish(task.id), of=view)

    @work(group="wish", exit_on_error=False)
    async def action_cancel(self) -> None:
        """Cancel the task, once the user has said what becomes of its checkpoints."""
        from screens.dialogs import CancelDialog, ConfirmDialog

        if (view := self.view) is None:
            return
        if has_learnt(view):
            keep = await ask(self, CancelDialog(view.task.task_name))
        else:
            question = ConfirmDialog(
                tr("Cancel the task?"),
                tr("'{name}' ends without an adapter.", name=view.task.task_name),
                yes=tr("Cancel it"), no=tr("Let it be"),
            )  # fmt: skip
            keep = True if await ask(self, question) else None
        if keep is not None:
            await self._carry_out(lambda client, task: client.cancel(task.id, keep=keep), of=view)

    @work(group="wish", exit_on_error=False)
    async def action_start_now(self) -> None:
        """Start the waiting task before all others; where it has no room, ask whether it must."""
        from screens.dialogs import ConfirmDialog

        if (view := self.view) is None:
            return
        try:
            await self._carry_out(lambda client, task: client.start(task.id), of=view)
        except ConflictError as refusal:
            if (await self.session.client.task(view.task.id)).status not in WAITING:
                raise
            question = ConfirmDialog(
                refusal.title,
                tr("{reason} A queued task starts by itself when they are. Started anyway, it may"
                   " run out of memory, and so may what runs beside it.", reason=refusal.message),
                yes=tr("Start anyway"), no=tr("Let it wait"),
            )  # fmt: skip
            if await ask(self, question):
                await self._carry_out(
                    lambda client, task: client.start(task.id, anyway=True), of=view
                )

    async def _carry_out(self, wish: Wish, of: TaskView | None = None) -> None:
        """Let the engine do something with a task, and show at once what it says.

        Args:
            of: The task where a question was asked about it: the cursor may have moved on since.
        """
        if (view := of or self.view) is None:
            return
        async with self.session.wishing:
            if now := self.session.tasks.get(view.task.id):
                self.session.adopt(await wish(self.session.client, now.task))
        for screen in self.app.screen_stack:
            if isinstance(screen, DeckScreen):
                screen.post_message(TasksChanged(frozenset({view.task.id}), frozenset()))
