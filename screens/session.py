"""What all screens share: the engine's client, the tasks as they are now, and the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from engine.errors import EngineUnavailableError
from screens.messages import TasksChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.home import Home
    from engine.server.client import EngineClient
    from engine.tasks.record import TaskRecord
    from engine.tasks.view import TasksUpdate, TaskView


def local_now() -> datetime:
    """Tell the time in the user's zone."""
    return datetime.now().astimezone()


@dataclass(frozen=True)
class EngineStatus:
    """Whether the engine can be reached, and the words that say so."""

    state: Literal["starting", "ready", "unreachable"]
    words: str


STARTING = EngineStatus("starting", "Starting the engine…")
READY = EngineStatus("ready", "Engine ready")


@dataclass
class Session:
    """One dashboard's view of one home."""

    home: Home
    connected_client: EngineClient | None = None
    now: Callable[[], datetime] = local_now
    status: EngineStatus = STARTING
    tasks: dict[str, TaskView] = field(default_factory=dict)
    base_model: str = ""
    """The base model chosen for the next training: rows are rendered as it gets them."""
    length: int | None = None
    """The planned length limit of the next training, in tokens."""

    @property
    def client(self) -> EngineClient:
        """The engine's client.

        Raises:
            EngineUnavailableError: The engine is still being started.
        """
        if self.connected_client is None:
            raise EngineUnavailableError(
                "Engine not ready", "The engine is still being started.", "Try again in a moment."
            )
        return self.connected_client

    def replace(self, update: TasksUpdate) -> TasksChanged:
        """Take the first update after connecting: it holds every task."""
        gone = self.tasks.keys() - {view.task.id for view in update.views}
        changed = self.apply([update])
        for task_id in gone:
            del self.tasks[task_id]
        return TasksChanged(changed.changed, changed.removed | gone)

    def apply(self, updates: Iterable[TasksUpdate]) -> TasksChanged:
        """Take updates in and tell what they changed together."""
        changed: set[str] = set()
        removed: set[str] = set()
        for update in updates:
            for view in update.views:
                self.tasks[view.task.id] = view
                changed.add(view.task.id)
                removed.discard(view.task.id)
            for task_id in update.removed:
                self.tasks.pop(task_id, None)
                removed.add(task_id)
                changed.discard(task_id)
        return TasksChanged(frozenset(changed), frozenset(removed))

    def adopt(self, record: TaskRecord) -> None:
        """Show a record that the engine answered with, until its own update comes."""
        from engine.tasks.view import TaskView

        known = self.tasks.get(record.id)
        self.tasks[record.id] = (
            known.model_copy(update={"task": record}) if known else TaskView(task=record)
        )

    def count(self, status: str) -> int:
        """Count the tasks in a state."""
        return sum(view.task.status == status for view in self.tasks.values())
