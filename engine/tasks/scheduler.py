"""Starts pending tasks, follows running ones to their end, and adopts those it finds running."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.errors import ConflictError
from engine.locks import holder
from engine.plan.cgroups import out_of_memory_kills
from engine.tasks.admission import Admission, Occupant, load_plan, same
from engine.tasks.causes import Exit
from engine.tasks.endings import ended
from engine.tasks.lessons import make_smaller, remember
from engine.tasks.queue import in_order
from engine.tasks.record import Status, TaskRecord
from engine.text import human_bytes
from engine.train.spec import TaskSpec
from engine.train.worker import DISK_FULL, FINISH, LOCK

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from engine.home import Home
    from engine.plan.types import Device, Plan
    from engine.settings import Settings
    from engine.tasks.live import LiveTasks
    from engine.tasks.pool import Worker, WorkerPool
    from engine.tasks.store import TaskStore

log = logging.getLogger(__name__)
_ADOPTED_POLL_SECONDS = 0.5
_WAITS = "Waits until ", "The disk is full; "
"""How the words begin that say for what a pending task waits."""
_CONSIDERED = 32
"""Of a long queue, so many tasks are looked at: those behind them have to wait anyway."""


class Scheduler:
    """Runs what fits, in the queue's order; the store changes only with a task's state."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        store: TaskStore,
        live: LiveTasks,
        pool: WorkerPool,
        admission: Admission | None = None,
    ) -> None:
        self._home, self._settings = home, settings
        self._store, self._live, self._pool = store, live, pool
        self._admission = admission or Admission(settings, home.root)
        self._workers: dict[str, Worker] = {}
        self._kills: dict[str, int] = {}
        """How often the kernel had killed for lack of memory when each task was started."""
        self._devices: dict[str, Device] = {}
        """Where each task runs that this server has started: not always where it was planned."""
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
        for task in self._with_status(Status.PAUSED):
            if task.waits_for_disk and self._has_disk(task.id):
                words = f"There is room on the disk again; goes on from step {task.resume_step}."
                self.change(task.moved(Status.PENDING, words, waits_for_disk=False))
        self.admit()

    def admit(self) -> None:
        """Start pending tasks in their order; one that has to wait holds up those after it.

        Otherwise small tasks would overtake a large one for ever.
        """
        blocked: list[Device] = []
        for task in in_order(self._with_status(Status.PENDING))[:_CONSIDERED]:
            plan = self._plan_of(task)
            if plan is None or any(same(plan.device, one) for one in blocked):
                continue
            if not self._admission.has_disk(plan):
                self._say(task, "The disk is full; starts by itself once there is room.")
                return
            if device := self._device_for(plan):
                self.launch(task, plan, device)
                continue
            blocked.append(plan.device)
            if not any(same(one.plan.device, plan.device) for one in self.occupants()):
                needed = human_bytes(plan.memory.total)
                self._say(task, f"Waits until {needed} are free on {plan.device.name}.")

    def occupants(self) -> list[Occupant]:
        """List the tasks that run, with what they take."""
        found = []
        for task in self._with_status(Status.RUNNING):
            with suppress(OSError, ValueError):
                plan = load_plan(self._home.task(task.id))
                device = self._devices.get(task.id, plan.device)
                plan = plan.model_copy(update={"device": device})
                found.append(Occupant(plan, self.worker_pid(task.id)))
        return found

    def count(self, status: Status) -> int:
        """Count the tasks in a state."""
        return len(self._with_status(status))

    def start(self, task: TaskRecord, *, anyway: bool) -> None:
        """Start a task before all others and beside those that run.

        Args:
            anyway: Whether to start it although its memory is not free.

        Raises:
            ConflictError: Its memory is not free, or its plan is gone.
        """
        plan = self._plan_of(task)
        device = plan and self._device_for(plan, crowd=True)
        if plan and anyway:
            device = device or plan.device
        if not (plan and device):
            needed = f"{human_bytes(plan.memory.total)} are not free" if plan else "no plan is left"
            raise ConflictError(
                "No room to start it now",
                f"'{task.task_name}': {needed}.",
                f"It starts by itself when they are. Or: loradeck tasks start {task.id} --anyway",
            )
        self.launch(task, plan, device)

    def launch(self, task: TaskRecord, plan: Plan, device: Device) -> None:
        """Hand a pending task to a worker."""
        folder = self._home.task(task.id)
        worker = self._pool.take(device.uuid)
        # Why it starts again stays to be read; what it has waited for does not.
        waited = task.started_at is None or task.message.startswith(_WAITS)
        words, seq = "" if waited else task.message, self._live.progress(task.id).last_seq
        self.change(task.moved(Status.RUNNING, words, launch_seq=seq))
        self._workers[task.id], self._devices[task.id] = worker, device
        self._kills[task.id] = out_of_memory_kills()
        worker.pump(
            on_event=lambda _: self._live.touch(task.id),
            on_exit=lambda code: self._settle(task.id, code),
        )
        worker.give(
            TaskSpec(
                task_id=task.id,
                task_name=task.task_name,
                plan=plan.model_copy(update={"device": device}),
                folder=folder,
                output=self._home.adapter(task.task_name),
                partial=self._home.partial_adapter(task.id),
                cache=self._home.encoded,
                disk_reserve=self._admission.reserve,
                finish=task.requested == "finish",
            )
        )

    def carry_out(self, task: TaskRecord) -> None:
        """Pass on to a task's worker what the user has asked for."""
        pid = self.worker_pid(task.id)
        if task.requested == "finish":
            if pid:
                _signal(pid, FINISH)
        elif pid:
            _signal(pid, signal.SIGTERM)
            if task.requested != "pause":
                self._spawn_job(self._end_late(task.id))
        elif worker := self._workers.get(task.id):
            worker.process.kill()  # it has not taken the task up: nothing is lost

    def drop_checkpoints(self, task_id: str) -> None:
        """Remove a task's checkpoints, beside everything else."""
        folder = self._home.task(task_id) / "checkpoints"
        self._spawn_job(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))

    def change(self, task: TaskRecord) -> TaskRecord:
        """Store a changed record and tell the followers."""
        self._store.put(task)
        self._live.touch(task.id)
        return task

    def worker_pid(self, task_id: str) -> int | None:
        """Give the pid of the process that holds the task's lock."""
        return holder(self._home.task(task_id) / LOCK)

    def _say(self, task: TaskRecord, words: str) -> None:
        """Tell once why a task waits, though none of ours is before it."""
        if task.message != words:
            self.change(task.model_copy(update={"message": words}))

    def _device_for(self, plan: Plan, *, crowd: bool = False) -> Device | None:
        """Find room for a plan; in a crowd, beside more tasks than usual."""
        spare = self._pool.spare_pid
        return self._admission.device_for(plan, self.occupants(), spare=spare, crowd=crowd)

    def _plan_of(self, task: TaskRecord) -> Plan | None:
        """Read the plan of a pending task; one whose plan is gone fails."""
        try:
            return load_plan(folder := self._home.task(task.id))
        except (OSError, ValueError) as error:
            log.warning("plan of task %s: %s", task.id, error)
            self.change(task.moved(Status.FAILED, f"{folder}/plan.json cannot be read."))
            return None

    def _has_disk(self, task_id: str) -> bool:
        """Tell whether the disk holds what a task is to write."""
        with suppress(OSError, ValueError):
            return self._admission.has_disk(load_plan(self._home.task(task_id)))
        return True  # its plan is gone: admitting it says so

    def _settle(self, task_id: str, exit_code: int | None = None) -> None:
        """Give a task whose worker is gone the state that its journal tells."""
        worker = self._workers.pop(task_id, None)
        if task_id not in self._store:
            return
        task = self._store.get(task_id)
        if self.worker_pid(task_id) is not None:
            self._adopt(task)  # an earlier server's worker still has it
        elif task.status is Status.RUNNING:
            self._end(task, exit_code)
            self.admit()
            if worker:
                self._pool.warm(worker.gpu)

    def _end(self, task: TaskRecord, exit_code: int | None) -> None:
        """Store what became of a task, and clear up after it."""
        progress = self._live.progress(task.id)
        gone = Exit(exit_code, progress.pid, progress.boot, self._kills.get(task.id))
        disk_full = exit_code == DISK_FULL or (exit_code is None and not self._has_disk(task.id))
        now = self.change(ended(task, progress, gone, disk_full=disk_full))
        remember(self._home, task.id, progress)
        self._live.forget(task.id)
        if now.interruptions > max(1, task.interruptions) and gone.was_killed:
            make_smaller(self._home.task(task.id))
        if now.status is Status.CANCELLED:
            partial = self._home.partial_adapter(task.id)
            self._spawn_job(asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True))
        clear = now.status is Status.COMPLETED and self._settings.clear_checkpoints
        if clear or task.requested == "discard":
            self.drop_checkpoints(task.id)

    def _adopt(self, task: TaskRecord) -> None:
        """Follow a worker that an earlier server started, and repeat what it was asked for."""
        log.info("adopting task %s", task.id)
        self._adopted.add(task.id)
        self._spawn_job(self._follow_adopted(task.id))
        if task.requested:
            self.carry_out(task)

    async def _follow_adopted(self, task_id: str) -> None:
        """Watch an adopted worker until its lock is free."""
        seen = 0
        while self.worker_pid(task_id) is not None:
            if (last := self._live.progress(task_id).last_seq) != seen:
                seen = last
                self._live.touch(task_id)
            await asyncio.sleep(_ADOPTED_POLL_SECONDS)
        self._adopted.discard(task_id)
        self._settle(task_id)

    async def _end_late(self, task_id: str) -> None:
        """Kill a worker that did not stop within its grace."""
        await asyncio.sleep(self._settings.stop_grace_seconds)
        if pid := self.worker_pid(task_id):
            log.warning("task %s did not stop in time; killing worker %s", task_id, pid)
            _signal(pid, signal.SIGKILL)

    def _with_status(self, status: Status) -> list[TaskRecord]:
        """List the tasks in a state, newest first."""
        return [task for task in self._store.all() if task.status is status]

    def _spawn_job(self, job: Coroutine[None, None, None]) -> None:
        """Run a coroutine beside the server and keep it from being collected."""
        running = asyncio.ensure_future(job)
        self._jobs.add(running)
        running.add_done_callback(self._jobs.discard)


def _signal(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone by now."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        log.info("process %s was gone already", pid)
