"""Starts pending tasks, follows running ones to their end, and adopts those it finds running."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
from typing import TYPE_CHECKING

from engine.locks import holder
from engine.plan.calibration import Calibrations
from engine.plan.types import Plan
from engine.tasks.events import StopTested, TaskCompleted, TaskFailed, TaskStopped
from engine.tasks.record import Status, TaskRecord
from engine.train.adjustments import Adjustments
from engine.train.spec import TaskSpec
from engine.train.worker import LOCK

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from engine.home import Home
    from engine.settings import Settings
    from engine.tasks.live import LiveTasks
    from engine.tasks.pool import Worker, WorkerPool
    from engine.tasks.progress import Outcome
    from engine.tasks.store import TaskStore

log = logging.getLogger(__name__)
_ADOPTED_POLL_SECONDS = 0.5
_MAX_INTERRUPTIONS = 3


class Scheduler:
    """One task at a time, oldest first; the store changes only here and only with a state."""

    def __init__(
        self, home: Home, settings: Settings, store: TaskStore, live: LiveTasks, pool: WorkerPool
    ) -> None:
        self._home, self._settings = home, settings
        self._store, self._live, self._pool = store, live, pool
        self._workers: dict[str, Worker] = {}
        self._adopted: set[str] = set()
        self._jobs: set[asyncio.Task[None]] = set()

    def tick(self) -> None:
        """Settle running tasks that nobody follows, then start what waits.

        At the server's start these are the tasks of the server before; later, those whose end
        could not be stored at the time, because the disk was full.
        """
        for task in self._with_status(Status.RUNNING):
            if task.id not in self._workers and task.id not in self._adopted:
                self._settle(task.id)
        self.admit()

    def admit(self) -> None:
        """Start the oldest pending task if none is running."""
        for task in reversed(self._with_status(Status.PENDING)):
            if self._with_status(Status.RUNNING):
                return
            self._launch(task)

    def count(self, status: Status) -> int:
        """Count the tasks in a state."""
        return len(self._with_status(status))

    def cancel(self, task: TaskRecord) -> TaskRecord:
        """End a task without a result: at once, or at its worker's next step.

        Raises:
            ConflictError: It has ended already.
        """
        if task.status is not Status.RUNNING:
            return self._change(task.moved(Status.CANCELLED, "Cancelled before it started."))
        task = self._change(
            task.model_copy(
                update={"cancel_requested": True, "message": "Stopping at the next step."}
            )
        )
        self._stop_worker(task.id)
        return task

    def _launch(self, task: TaskRecord) -> None:
        """Hand a task to a worker; one whose plan is gone fails."""
        folder = self._home.task(task.id)
        try:
            plan = Plan.load(folder)
        except (OSError, ValueError) as error:
            log.warning("plan of task %s: %s", task.id, error)
            self._change(task.moved(Status.FAILED, f"{folder}/plan.json cannot be read."))
            return
        self._change(task.moved(Status.RUNNING))
        worker = self._pool.take(plan.device.uuid)
        self._workers[task.id] = worker
        worker.pump(
            on_event=lambda _: self._live.touch(task.id),
            on_exit=lambda code: self._settle(task.id, code),
        )
        worker.give(
            TaskSpec(
                task_id=task.id,
                task_name=task.task_name,
                plan=plan,
                folder=folder,
                output=self._home.adapter(task.task_name),
                partial=self._home.partial_adapter(task.id),
                cache=self._home.encoded,
            )
        )

    def _settle(self, task_id: str, exit_code: int | None = None) -> None:
        """Give a task whose worker is gone the state that its journal tells."""
        worker = self._workers.pop(task_id, None)
        if task_id not in self._store:
            return
        task = self._store.get(task_id)
        if self._worker_pid(task_id) is not None:
            self._adopt(task)  # an earlier server's worker still has it
        elif task.status is Status.RUNNING:
            ended = self._ended(task, self._live.progress(task_id).outcome, exit_code)
            self._change(ended)
            self._remember(task_id)
            self._live.forget(task_id)
            if ended.status is Status.CANCELLED:
                partial = self._home.partial_adapter(task.id)
                self._spawn_job(asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True))
            self.admit()
            if worker:
                self._pool.warm(worker.gpu)

    def _ended(
        self, task: TaskRecord, outcome: Outcome | None, exit_code: int | None
    ) -> TaskRecord:
        """Tell what became of a task from its last event, or from how its worker went."""
        progress = self._live.progress(task.id)
        live = {"progress": progress.view(task).task.progress, "current_epoch": progress.epoch}
        if isinstance(outcome, TaskCompleted):
            return task.moved(
                Status.COMPLETED,
                _saved_words(progress.stop_test),
                progress=100.0,
                current_epoch=progress.epoch,
                final_loss=outcome.train_loss,
            )
        if isinstance(outcome, TaskFailed):
            words = f"{outcome.title}: {outcome.message} {outcome.hint}".strip()
            return task.moved(Status.FAILED, words, **live)
        if task.cancel_requested:
            return task.moved(Status.CANCELLED, f"Cancelled at step {progress.step}.", **live)
        return self._interrupted(task, live, exit_code)

    def _interrupted(
        self, task: TaskRecord, live: dict[str, float], exit_code: int | None
    ) -> TaskRecord:
        """Queue a task again whose worker was lost, unless that happens again and again."""
        progress = self._live.progress(task.id)
        if isinstance(progress.outcome, TaskStopped):  # it saved a checkpoint: nothing is lost
            words = f"Its worker was asked to stop; goes on from step {progress.checkpoint}."
            return task.moved(Status.PENDING, words, resume_step=progress.checkpoint, **live)
        count = task.interruptions + 1 if progress.checkpoint <= task.resume_step else 1
        cause = _cause(exit_code)
        if count > 1 and exit_code == -signal.SIGKILL:
            # Once may be somebody's hand; twice at one place it is a lack of memory
            adjustments = Adjustments.load(folder := self._home.task(task.id))
            update = {"killed": adjustments.killed + 1}
            adjustments.model_copy(update=update).save(folder)
        if count > _MAX_INTERRUPTIONS:
            return task.moved(
                Status.FAILED,
                f"Interrupted {count} times without progress ({cause}). "
                f"See: loradeck tasks logs {task.id}",
                **live,
            )
        return task.moved(
            Status.PENDING,
            f"Interrupted ({cause}); goes on from step {progress.checkpoint}.",
            interruptions=count,
            resume_step=progress.checkpoint,
            **live,
        )

    def _remember(self, task_id: str) -> None:
        """Let what a run has measured correct the plans to come."""
        progress, path = self._live.progress(task_id), self._home.calibrations
        if not (probed := progress.probed):
            return
        folder = self._home.task(task_id)
        try:
            plan = Plan.load(folder)
            pace = progress.settled_pace()
            known = Calibrations.load(path).with_run(plan, probed, progress.peak, *pace)
            known.save(path)
        except (OSError, ValueError) as error:
            log.warning("what task %s measured is lost: %s", task_id, error)

    def _adopt(self, task: TaskRecord) -> None:
        """Follow a worker that an earlier server started, and stop it if that was asked for."""
        log.info("adopting task %s", task.id)
        self._adopted.add(task.id)
        self._spawn_job(self._follow_adopted(task.id))
        if task.cancel_requested:
            self._stop_worker(task.id)

    async def _follow_adopted(self, task_id: str) -> None:
        """Watch an adopted worker until its lock is free."""
        seen = 0
        while self._worker_pid(task_id) is not None:
            if (last := self._live.progress(task_id).last_seq) != seen:
                seen = last
                self._live.touch(task_id)
            await asyncio.sleep(_ADOPTED_POLL_SECONDS)
        self._adopted.discard(task_id)
        self._settle(task_id)

    def _stop_worker(self, task_id: str) -> None:
        """Ask a task's worker to stop; one that has not taken the task up yet is ended at once."""
        pid = self._worker_pid(task_id)
        if pid:
            _signal(pid, signal.SIGTERM)
            self._spawn_job(self._end_late(task_id))
        elif worker := self._workers.get(task_id):
            worker.process.kill()

    async def _end_late(self, task_id: str) -> None:
        """Kill a worker that did not stop within its grace."""
        await asyncio.sleep(self._settings.stop_grace_seconds)
        if pid := self._worker_pid(task_id):
            log.warning("task %s did not stop in time; killing worker %s", task_id, pid)
            _signal(pid, signal.SIGKILL)

    def _worker_pid(self, task_id: str) -> int | None:
        """Give the pid of the process that holds the task's lock."""
        return holder(self._home.task(task_id) / LOCK)

    def _with_status(self, status: Status) -> list[TaskRecord]:
        """List the tasks in a state, newest first."""
        return [task for task in self._store.all() if task.status is status]

    def _change(self, task: TaskRecord) -> TaskRecord:
        """Store a changed record and tell the followers."""
        self._store.put(task)
        self._live.touch(task.id)
        return task

    def _spawn_job(self, job: Coroutine[None, None, None]) -> None:
        """Run a coroutine beside the server and keep it from being collected."""
        running = asyncio.ensure_future(job)
        self._jobs.add(running)
        running.add_done_callback(self._jobs.discard)


def _saved_words(tested: StopTested | None) -> str:
    """Say that the adapter is there, and whether it ends its answers."""
    if tested is None or tested.ended == tested.asked:
        return "Adapter saved."
    return (
        f"Adapter saved; only {tested.ended} of {tested.asked} answers ended by themselves: "
        "train longer, or look whether the rows' answers are cut off."
    )


def _cause(exit_code: int | None) -> str:
    """Guess why a worker went without a word."""
    if exit_code is None:
        return "its worker ended while no engine watched"
    if exit_code == -signal.SIGKILL:
        return "its worker was killed, perhaps for lack of memory"
    if exit_code < 0:
        return f"its worker was ended by {signal.Signals(-exit_code).name}"
    return f"its worker ended with code {exit_code}"


def _signal(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone by now."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        log.info("process %s was gone already", pid)
