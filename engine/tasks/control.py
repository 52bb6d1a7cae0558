"""What a user can do with a task: hold, pause, go on, finish, cancel, start now, move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import ConflictError
from engine.language import mark, tr
from engine.tasks.queue import moved
from engine.tasks.record import Request, Status

if TYPE_CHECKING:
    from engine.tasks.live import LiveTasks
    from engine.tasks.queue import Where
    from engine.tasks.record import TaskRecord
    from engine.tasks.scheduler import Scheduler
    from engine.tasks.store import TaskStore

_ASKED = {
    "pause": mark("Pausing at the next step."),
    "cancel": mark("Stopping at the next step."),
    "discard": mark("Stopping at the next step."),
    "finish": mark("Finishing at the next step."),
}


class Control:
    """Carries a user's wishes out; each raises ``ConflictError`` where the state forbids it."""

    def __init__(self, store: TaskStore, live: LiveTasks, scheduler: Scheduler) -> None:
        self._store, self._live, self._scheduler = store, live, scheduler

    def pause(self, task: TaskRecord) -> TaskRecord:
        """Pause a running task at its next step, or hold a pending one; ``resume`` goes on."""
        if task.status is Status.RUNNING and task.requested == "finish":
            raise ConflictError(
                tr("Not possible now"), tr("'{name}' is being finished.", name=task.task_name)
            )
        if task.status is Status.RUNNING:
            return self._ask(task, "pause")
        if task.status is Status.PAUSED:  # one that waits for the disk waits for the user now
            words = tr("Paused at step {step}.", step=task.resume_step)
            return self._change(task.model_copy(update={"waits_for_disk": False, "message": words}))
        return self._change(task.moved(Status.PAUSED, tr("Held back until it is resumed.")))

    def resume(self, task: TaskRecord) -> TaskRecord:
        """Queue a paused, failed or cancelled task again; it goes on from its newest checkpoint."""
        if task.status is Status.RUNNING and task.requested == "pause":
            words = tr("Pauses for a moment and goes on.")
            return self._change(task.model_copy(update={"requested": "", "message": words}))
        return self._queue(_waiting_again(task))

    def finish(self, task: TaskRecord) -> TaskRecord:
        """End the training where it is; what it has learned becomes the result.

        Raises:
            ConflictError: It has ended, or has learned nothing yet.
        """
        if task.status is Status.COMPLETED:
            raise ConflictError(
                tr("Not possible now"), tr("'{name}' is completed already.", name=task.task_name)
            )
        running = task.status is Status.RUNNING
        if not (self._live.progress(task.id).step if running else task.resume_step):
            raise ConflictError(
                tr("Nothing learned yet"),
                tr("'{name}' has not trained a step that could be kept.", name=task.task_name),
                tr("Cancel it with: loradeck tasks cancel {id}", id=task.id),
            )
        if running:
            return self._ask(task, "finish")
        words = tr("Finishes with what it has learned by step {step}.", step=task.resume_step)
        waiting = task if task.status is Status.PENDING else _waiting_again(task)
        changes = {"requested": "finish", "message": words}
        return self._queue(waiting.model_copy(update=changes))

    def cancel(self, task: TaskRecord, *, keep: bool) -> TaskRecord:
        """End a task without a result: at once, or at its worker's next step.

        Args:
            keep: Whether its checkpoints stay, so that it can be resumed after all.
        """
        if task.status is Status.RUNNING:
            return self._ask(task, "cancel" if keep else "discard")
        saved = task.resume_step
        at_step = tr("Cancelled at step {step}.", step=saved)
        words = at_step if saved else tr("Cancelled before it started.")
        kept = {} if keep else {"resume_step": 0}
        cancelled = self._change(task.moved(Status.CANCELLED, words, requested="", **kept))
        if not keep:
            self._scheduler.drop_checkpoints(task.id)
        return cancelled

    def start(self, task: TaskRecord, *, anyway: bool) -> TaskRecord:
        """Start a waiting task now, before all others and beside those that run.

        Args:
            anyway: Whether to start it although its predicted memory is not free.

        Raises:
            ConflictError: It is not waiting, or its memory is not free.
        """
        waiting = task if task.status is Status.PENDING else _waiting_again(task)
        self._scheduler.start(waiting, anyway=anyway)
        return self._store.get(task.id)

    def move(self, task: TaskRecord, where: Where) -> TaskRecord:
        """Move a pending task among those of its priority."""
        _refuse_unless_pending(task)
        waiting = (one for one in self._store.all() if one.status is Status.PENDING)
        for one in moved(waiting, task, where):
            self._change(one)
        return self._store.get(task.id)

    def prioritize(self, task: TaskRecord, priority: int) -> TaskRecord:
        """Give a task that is to start yet another priority, from -100 to 100."""
        if task.status not in (Status.PENDING, Status.PAUSED):
            _refuse_unless_pending(task)
        return self._queue(task.model_copy(update={"priority": priority, "place": None}))

    def _ask(self, task: TaskRecord, request: Request) -> TaskRecord:
        """Note what a running task is to do, and tell its worker."""
        changes = {"requested": request, "message": tr(_ASKED[request])}
        asked = self._change(task.model_copy(update=changes))
        self._scheduler.carry_out(asked)
        return asked

    def _change(self, task: TaskRecord) -> TaskRecord:
        """Store a changed record."""
        return self._scheduler.change(task)

    def _queue(self, task: TaskRecord) -> TaskRecord:
        """Store a changed record, and start what may start now."""
        self._change(task)
        self._scheduler.admit()
        return self._store.get(task.id)


def _waiting_again(task: TaskRecord) -> TaskRecord:
    """Put a paused, failed or cancelled task back into the queue."""
    if task.status in (Status.RUNNING, Status.PENDING):
        raise ConflictError(
            tr("Not possible now"),
            tr("'{name}' is {state} already.", name=task.task_name, state=tr(task.status)),
        )
    words = tr("Goes on from step {step}.", step=task.resume_step) if task.resume_step else ""
    return task.moved(Status.PENDING, words, waits_for_disk=False, interruptions=0)


def _refuse_unless_pending(task: TaskRecord) -> None:
    """Refuse what makes sense in the queue alone."""
    if task.status is not Status.PENDING:
        raise ConflictError(
            tr("Not in the queue"),
            tr("'{name}' is {state}.", name=task.task_name, state=tr(task.status)),
        )
