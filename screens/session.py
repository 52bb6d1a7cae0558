"""What all screens share: the engine's client, the tasks as they are now, and the clock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from engine.errors import EngineUnavailableError
from engine.language import mark, tr
from engine.settings import Settings
from engine.tasks.queue import in_order
from screens.ahead import TypedAhead
from screens.messages import TasksChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.home import Home
    from engine.server.client import EngineClient
    from engine.tasks.record import TaskRecord
    from engine.tasks.view import TasksUpdate, TaskView
    from screens.hand_over import Draft


def local_now() -> datetime:
    """Tell the time in the user's zone."""
    return datetime.now().astimezone()


@dataclass(frozen=True)
class EngineStatus:
    """Whether the engine can be reached, and the words that say so."""

    state: Literal["starting", "ready", "unreachable"]
    words: str
    """Marked for translation, or translated already."""


STARTING = EngineStatus("starting", mark("Starting the engine…"))
READY = EngineStatus("ready", mark("Engine ready"))


@dataclass
class Session:
    """One dashboard's view of one home."""

    home: Home
    connected_client: EngineClient | None = None
    now: Callable[[], datetime] = local_now
    settings: Settings = field(default_factory=Settings)
    status: EngineStatus = STARTING
    tasks: dict[str, TaskView] = field(default_factory=dict)
    going: dict[str, TaskView] = field(default_factory=dict)
    """Of these, the ones that have not ended: few, however many tasks there are."""
    names: set[str] = field(default_factory=set)
    """Of all tasks."""
    base_model: str = ""
    """The base model chosen for the next training: rows are rendered as it gets them."""
    length: int | None = None
    """The planned length limit of the next training, in tokens."""
    draft: Draft | None = None
    """What was chosen in the dashboard that this one follows, until Home takes it up."""
    ahead: TypedAhead = field(default_factory=TypedAhead)
    """Enters for the steps that are not there yet."""
    wishing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the engine carries out a wish: two keys in a row are two wishes in a row."""
    listing: bool = True
    """Whether the engine still has to tell of some of the tasks that there are."""
    _untold: set[str] = field(default_factory=set)
    """Tasks of which the engine has not told since it was reached, while it still lists them."""

    @property
    def client(self) -> EngineClient:
        """The engine's client.

        Raises:
            EngineUnavailableError: The engine is still being started.
        """
        if self.connected_client is None:
            raise EngineUnavailableError(
                tr("Engine not ready"),
                tr("The engine is still being started."),
                tr("Try again in a moment."),
            )
        return self.connected_client

    def begin(self) -> None:
        """Expect the first updates after connecting: what they do not tell of is gone."""
        self._untold = set(self.tasks)
        self.listing = True

    def apply(self, updates: Iterable[TasksUpdate]) -> TasksChanged:
        """Take updates in and tell what they changed together."""
        changed: set[str] = set()
        removed: set[str] = set()
        for update in updates:
            told = {view.task.id for view in update.views}
            self._untold -= told
            gone = set(update.removed)
            if not update.more:
                self.listing = False
                gone |= self._untold
                self._untold = set()
            for view in update.views:
                self._put(view)
            for task_id in gone:
                self._drop(task_id)
            changed = (changed | told) - gone
            removed = (removed - told) | gone
        return TasksChanged(frozenset(changed), frozenset(removed))

    def adopt(self, record: TaskRecord) -> None:
        """Show a record that the engine answered with, until its own update comes."""
        from engine.tasks.view import TaskView

        known = self.tasks.get(record.id)
        if known is None:
            self._put(TaskView(task=record))
            return
        # The store has a running task's figures as they were when its state last changed.
        figures = known.task.model_dump(include={"progress", "current_epoch", "eval_loss"})
        record = record if record.status.ended else record.model_copy(update=figures)
        self._put(known.model_copy(update={"task": record}))

    def _put(self, view: TaskView) -> None:
        """Keep a task as it is now."""
        self.tasks[view.task.id] = view
        self.names.add(view.task.task_name)
        if view.task.status.ended:
            self.going.pop(view.task.id, None)
        else:
            self.going[view.task.id] = view

    def _drop(self, task_id: str) -> None:
        """Forget a task."""
        if view := self.tasks.pop(task_id, None):
            self.going.pop(task_id, None)
            self.names.discard(view.task.task_name)

    def turns(self) -> dict[str, int]:
        """Number the queued tasks from 1, in the order in which they are to start."""
        queued = (view.task for view in self.going.values() if view.task.status == "pending")
        return {task.id: turn for turn, task in enumerate(in_order(queued), 1)}

    def count(self, status: str) -> int:
        """Count the tasks in a state that is not the end."""
        return sum(view.task.status == status for view in self.going.values())
