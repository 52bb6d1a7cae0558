"""Starts pending tasks, follows running ones to their end, and adopts those it finds running."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from engine.errors import ConflictError
from engine.language import tr
from engine.plan.cgroups import out_of_memory_kills
from engine.tasks.admission import Admission, Occupant, Place, load_plan, suits
from engine.tasks.causes import Exit
from engine.tasks.endings import ended
from engine.tasks.events import TaskStarted
from engine.tasks.lessons import make_smaller, remember
from engine.tasks.queue import in_order
from engine.tasks.record import Status, TaskRecord
from engine.tasks.signals import end_late, send
from engine.tasks.waiting import for_disk
from engine.text import human_bytes
from engine.train.spec import TaskSpec
from engine.train.worker import DISK_FULL, FINISH, worker_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Coroutine

    from engine.home import Home
    from engine.plan.types import Device, Plan
    from engine.settings import Settings
    from engine.tasks.events import Event
    from engine.tasks.live import LiveTasks
    from engine.tasks.pool import Worker, WorkerPool
    from engine.tasks.store import TaskStore

log = logging.getLogger(__name__)
_ADOPTED_POLL_SECONDS = 0.5
_CONSIDERED = 256
"""Of a long queue, so many tasks are looked at: those behind them have to wait anyway."""


class Lodger(Protocol):
    """Who holds memory that a training may have: a chat."""

    def held(self, device: Device) -> int:
        """Give the bytes that it holds of a device."""

    def to_come(self, device: Device) -> int:
        """Give the bytes that it is still to take there."""

    def give_way(self, task_name: str) -> None:
        """Take note which task could start with its memory; empty where none could."""


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
        self._adopted: set[str] = set()
        self._jobs: set[asyncio.Task[None]] = set()
        self.lodger: Lodger | None = None

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
                words = tr(
                    "There is room on the disk again; goes on from step {step}.",
                    step=task.resume_step,
                )
                self.change(task.moved(Status.PENDING, words, waits_for_disk=False))
        self.admit()

    def admit(self) -> None:
        """Start pending tasks in their order; one that has to wait holds up those after it.

        Otherwise small tasks would overtake a large one for ever.
        """
        kept: set[Place] = set()
        wanting = ""
        for task in in_order(self._with_status(Status.PENDING))[:_CONSIDERED]:
            plan = self._plan_of(task)
            if plan is None or Place.wanted(plan).among(kept):
                continue
            if not self._admission.has_disk(plan):
                self._say(task, for_disk())
                break
            if device := self._device_for(plan, kept=kept):
                self.launch(task, plan, device)
                continue
            wanting = wanting or self._wants_lodgers_memory(task, plan)
            if not any(suits(one.plan.device, plan) for one in self.occupants()):
                self._say(task, self._admission.obstacle(plan, kept))
            kept.add(Place.wanted(plan))
        if self.lodger:
            self.lodger.give_way(wanting)

    def _wants_lodgers_memory(self, task: TaskRecord, plan: Plan) -> str:
        """Give a task's name where it would start if the lodger were gone."""
        lodger = self.lodger
        if lodger and self._device_for(plan, besides=lodger.held):
            return task.task_name
        return ""

    def occupants(self) -> list[Occupant]:
        """List the tasks that run, with what they take."""
        found = []
        for task in self._with_status(Status.RUNNING):
            with suppress(OSError, ValueError):
                plan = load_plan(self._home.task(task.id))
                where = {"uuid": task.device_uuid or plan.device.uuid}
                device = plan.device.model_copy(update=where)
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
            raise _no_room(task, plan)
        self.launch(task, plan, device)

    def launch(self, task: TaskRecord, plan: Plan, device: Device) -> None:
        """Hand a pending task to a worker."""
        folder = self._home.task(task.id)
        # Why it starts again stays to be read; what it has waited for does not.
        words = task.message_but_waiting if task.started_at else ""
        seq = self._live.progress(task.id).last_seq
        # Stored before a worker is there: where that fails, none is left behind
        self.change(task.moved(Status.RUNNING, words, launch_seq=seq, device_uuid=device.uuid))
        worker = self._workers[task.id] = self._pool.take(device.uuid)
        self._kills[task.id] = out_of_memory_kills()
        worker.pump(
            on_event=lambda event: self._heard(task.id, event),
            on_exit=lambda code: self._settle(task.id, code),
        )
        worker.give(
            TaskSpec(
                task_id=task.id,
                task_name=task.task_name,
                plan=plan.model_copy(update={"device": _as_planned(device, plan)}),
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
        if pid:
            send(pid, FINISH if task.requested == "finish" else signal.SIGTERM)
            if task.requested in ("cancel", "discard"):
                grace = self._settings.stop_grace_seconds
                self._spawn_job(end_late(self._home.task(task.id), pid, grace))
        elif task.requested != "finish" and (worker := self._workers.get(task.id)):
            worker.process.kill()  # it has not taken the task up: nothing is lost

    def drop_checkpoints(self, task_id: str) -> None:
        """Remove a task's checkpoints, beside everything else."""
        folder = self._home.task(task_id) / "checkpoints"
        dropped = folder.with_name(f".dropped-{time.time_ns()}")
        with suppress(FileNotFoundError):
            folder.rename(dropped)  # at once: the task may be resumed before all is removed
        self._spawn_job(asyncio.to_thread(shutil.rmtree, dropped, ignore_errors=True))

    def change(self, task: TaskRecord) -> TaskRecord:
        """Store a changed record and tell the followers."""
        self._store.put(task)
        self._live.touch(task.id)
        return task

    def worker_pid(self, task_id: str) -> int | None:
        """Give the pid of the process that holds the task's lock."""
        return worker_of(self._home.task(task_id))

    def worker_pids(self) -> dict[str, int]:
        """Give the pids of all workers that have a running task, by its id."""
        tasks = self._with_status(Status.RUNNING)
        return {task.id: pid for task in tasks if (pid := self.worker_pid(task.id))}

    def _say(self, task: TaskRecord, words: str) -> None:
        """Tell once why a task waits, though none of ours is before it."""
        whole = f"{task.message_but_waiting} {words}".strip()
        if task.message != whole:
            changes = {"message": whole, "waiting_words": words}
            self.change(task.model_copy(update=changes))

    def _heard(self, task_id: str, event: Event) -> None:
        """Pass on that a task has moved, and to its worker what was asked while it imported."""
        self._live.touch(task_id)
        if isinstance(event, TaskStarted) and task_id in self._store:
            task = self._store.get(task_id)
            if task.requested:
                self.carry_out(task)

    def _device_for(
        self,
        plan: Plan,
        *,
        crowd: bool = False,
        kept: Container[Place] = (),
        besides: Callable[[Device], int] | None = None,
    ) -> Device | None:
        """Find room for a plan; in a crowd, beside more tasks than usual."""
        return self._admission.device_for(
            plan,
            self.occupants(),
            spare=self._pool.spare_pid,
            crowd=crowd,
            kept=kept,
            besides=besides or self._taken_by_lodger,
        )

    def _taken_by_lodger(self, device: Device) -> int:
        """Give what the lodger is still to take of a device, as bytes that are not free."""
        return -self.lodger.to_come(device) if self.lodger else 0

    def _plan_of(self, task: TaskRecord) -> Plan | None:
        """Read the plan of a pending task; one whose plan is gone fails."""
        try:
            return load_plan(folder := self._home.task(task.id))
        except (FileNotFoundError, ValueError) as error:
            log.warning("plan of task %s: %s", task.id, error)
            words = tr("{file} cannot be read.", file=f"{folder}/plan.json")
            self.change(task.moved(Status.FAILED, words))
        except OSError:
            log.exception("plan of task %s", task.id)  # of this moment: tried again
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

    def _with_status(self, status: Status) -> list[TaskRecord]:
        """List the tasks in a state, newest first."""
        return [task for task in self._store.all() if task.status is status]

    def _spawn_job(self, job: Coroutine[None, None, None]) -> None:
        """Run a coroutine beside the server and keep it from being collected."""
        running = asyncio.ensure_future(job)
        self._jobs.add(running)
        running.add_done_callback(self._jobs.discard)


def _no_room(task: TaskRecord, plan: Plan | None) -> ConflictError:
    """Say that a task cannot start: its memory is not free, or its plan is gone."""
    if plan:
        needed = human_bytes(plan.memory.total)
        words = tr("'{name}': {needed} are not free.", name=task.task_name, needed=needed)
    else:
        words = tr("'{name}': no plan is left.", name=task.task_name)
    hint = tr(
        "A queued task starts by itself when they are. Or: loradeck tasks start {id} --anyway",
        id=task.id,
    )
    return ConflictError(tr("No room to start it now"), words, hint)


def _as_planned(device: Device, plan: Plan) -> Device:
    """Let a run compute in as many threads as it was planned for: others round otherwise."""
    cores = plan.device.cores if device.kind == "cpu" else device.cores
    return device.model_copy(update={"cores": cores, "chosen": plan.device.chosen})
