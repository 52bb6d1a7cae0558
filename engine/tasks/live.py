"""The live side of the tasks: what their journals add up to, and who wants to know."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.tasks.folding import fold_journal
from engine.tasks.journal import JournalReader
from engine.tasks.progress import Progress
from engine.tasks.view import TasksUpdate, TaskView

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from engine.home import Home
    from engine.tasks.events import Event
    from engine.tasks.store import TaskStore

log = logging.getLogger(__name__)
_UPDATE_SECONDS = 0.2
_TASKS_AT_ONCE = 200
"""So many take a client some milliseconds to read."""
_EVENTS_AT_ONCE = 200
"""After so many, others get their turn: whoever reads a long journal fast must delay nobody."""


class LiveTasks:
    """Folds the journals of tasks under way; wakes those who follow them.

    Followers are not sent events: they are told that a task has moved, and read its journal on
    from where they stopped. So a slow follower delays nobody, and nothing comes twice.
    """

    def __init__(self, home: Home, store: TaskStore) -> None:
        self._home = home
        self._store = store
        self._journals: dict[str, tuple[JournalReader, Progress]] = {}
        self._moved: dict[str, int] = {}
        self._count = 0
        self._wake = asyncio.Event()

    def progress(self, task_id: str) -> Progress:
        """Give a task's live figures, its journal read to the end; none of one that is of no use.

        The scheduler must be able to settle such a task; who asks for its events is told.
        """
        try:
            if task_id not in self._journals:
                self._journals[task_id] = fold_journal(self._home.task(task_id))
            reader, progress = self._journals[task_id]
            for event in reader.read_new():
                progress.apply(event)
        except LoraDeckError as error:
            log.warning("task %s: %s", task_id, error)
            return Progress()
        return progress

    def view(self, task_id: str) -> TaskView:
        """Give a task as a screen shows it; of an ended one the record says all."""
        task = self._store.get(task_id)
        if task.status.ended:
            return TaskView(task=task, loss=task.final_loss)
        return self.progress(task_id).view(task)

    def touch(self, task_id: str) -> None:
        """Tell all followers that a task's journal or record has changed, or is gone."""
        self._count += 1
        self._moved[task_id] = self._count
        self._wake.set()
        self._wake = asyncio.Event()

    def forget(self, task_id: str) -> None:
        """Drop the live figures of a task that has ended or was deleted."""
        self._journals.pop(task_id, None)
        self.touch(task_id)

    async def updates(self) -> AsyncIterator[TasksUpdate]:
        """Yield all tasks, then what changed, coalesced; never ends by itself."""
        seen = self._count
        for update in self._all():
            yield update
            await asyncio.sleep(0)
        while True:
            wake = self._wake
            if self._count == seen:
                await wake.wait()
            await asyncio.sleep(_UPDATE_SECONDS)
            moved = [key for key, count in self._moved.items() if count > seen]
            seen = self._count
            yield TasksUpdate(
                views=tuple(self.view(key) for key in moved if key in self._store),
                removed=tuple(key for key in moved if key not in self._store),
            )

    def _all(self) -> Iterator[TasksUpdate]:
        """Give all tasks, newest first, in parts that delay nobody who makes or reads them."""
        keys = [task.id for task in self._store.all()]
        for start in range(0, max(len(keys), 1), _TASKS_AT_ONCE):
            end = start + _TASKS_AT_ONCE
            views = tuple(self.view(key) for key in keys[start:end] if key in self._store)
            yield TasksUpdate(views=views, more=end < len(keys))

    async def events(
        self, task_id: str, after: int, *, follow: bool, tail: int = 0
    ) -> AsyncIterator[Event]:
        """Yield a task's events with a number above ``after``; follow until the task has ended.

        Args:
            tail: How many of those that are there already to yield at most, the last ones; 0 for
                all.

        Raises:
            LoraDeckError: Its journal is no plain file, or may not be read.
        """
        reader = JournalReader(self._home.task(task_id), after, tail=tail)
        while True:
            wake, ended = self._wake, self._ended(task_id)
            for number, event in enumerate(reader.read_new(), 1):
                yield event
                if number % _EVENTS_AT_ONCE == 0:
                    await asyncio.sleep(0)
            if ended or not follow:
                return
            await wake.wait()

    def _ended(self, task_id: str) -> bool:
        """Tell whether nothing more will come: the task has ended or was deleted."""
        return task_id not in self._store or self._store.get(task_id).status.ended
