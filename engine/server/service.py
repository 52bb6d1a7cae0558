"""What the engine can do for its clients; the interface's routes only translate."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine import __version__
from engine.errors import ConflictError, NotFoundError
from engine.files import sync_folder, write_atomic
from engine.jobs.jobs import Jobs
from engine.language import tr
from engine.machine_load import MachineWatch
from engine.models.adapters import copy_adapter, is_made_by
from engine.plan.device_names import choice_of
from engine.plan.findings import refuse_impossible
from engine.plan.hardware import best_device
from engine.plan.own_device import own_device
from engine.plan.types import PLAN, Plan
from engine.results.chat.assistants import Assistants
from engine.results.chat.conversations import Conversations
from engine.results.chat.holder import ChatHolder
from engine.server.chat_service import Chats
from engine.server.chat_targets import Targets
from engine.server.deploy_source import prepare_deploy
from engine.server.export_source import prepare_export
from engine.server.planning import Planning
from engine.server.pulls import Pulls
from engine.server.wire import EngineInfo
from engine.tasks.control import Control
from engine.tasks.curve_keeper import CurveKeeper
from engine.tasks.live import LiveTasks
from engine.tasks.pool import WorkerPool
from engine.tasks.record import Status, TaskRecord, check_task_name
from engine.tasks.scheduler import Scheduler
from engine.tasks.store import TaskStore
from engine.train.spec import START

if TYPE_CHECKING:
    from engine.home import Home
    from engine.jobs.types import Job
    from engine.plan.types import Device
    from engine.results.export.types import DeployRequest, ExportRequest
    from engine.server.wire import TrainRequest
    from engine.settings import Settings

log = logging.getLogger(__name__)


class EngineService:
    """One home's engine: the store and what moves its tasks."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self.home = home
        self.started_at = time.time()
        self.store = TaskStore(home)
        self.live = LiveTasks(home, self.store)
        self.curves = CurveKeeper(home)
        self.pool = WorkerPool(settings)
        self.scheduler = Scheduler(home, settings, self.store, self.live, self.pool)
        self.machine = MachineWatch(self.scheduler.worker_pids)
        self.control = Control(self.store, self.live, self.scheduler)
        self.pulls = Pulls(home)
        self.jobs = Jobs(home, settings)
        self.assistants = Assistants(home.assistants_file)
        self.conversations = Conversations(home.chats)
        self.targets = Targets(home, self.store, self.assistants)
        holder = ChatHolder(home.chat_log, self.scheduler.occupants)
        self.chats = Chats(holder, settings.chat_idle_minutes, self.scheduler.admit)
        self.scheduler.lodger = self.chats
        self.planning = Planning(home, self.store, self.scheduler, self.pool, self.chats)
        self.network = ""
        self.stays = False
        self._creating = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether something would be lost or delayed if the server ended now."""
        going_on = (Status.RUNNING, Status.PENDING)
        waiting = any(task.status in going_on or task.waits_for_disk for task in self.store.all())
        return waiting or self.pulls.active or self.jobs.active

    def info(self) -> EngineInfo:
        """Tell the server's state."""
        return EngineInfo(
            version=__version__,
            pid=os.getpid(),
            home=str(self.home.root),
            started_at=self.started_at,
            tasks_running=self.scheduler.count(Status.RUNNING),
            tasks_pending=self.scheduler.count(Status.PENDING),
            spare_ready=self.pool.spare_ready,
            network=self.network,
            stays=self.stays,
        )

    async def warm(self) -> Device:
        """Look which device a run would get now, and have a spare worker import for it."""
        device = await asyncio.to_thread(best_device)
        self.pool.warm(device.uuid)
        return device

    async def train(self, request: TrainRequest) -> TaskRecord:
        """Create a task from a plan that can be carried out; it is queued at once.

        Raises:
            LoraDeckError: The name or the plan is of no use.
            ConflictError: The name is taken.
        """
        name = check_task_name(request.task_name)
        self._refuse_taken(name)
        plan = await self.planning.plan(request, own_device)
        refuse_impossible(plan)
        async with self._creating:
            self._refuse_taken(name)
            task = TaskRecord(
                task_name=name,
                base_model=plan.base_model,
                dataset_file=plan.dataset_file,
                dataset_type=plan.dataset.dataset_type,
                output_path=str(self.home.adapter(name)),
                training_params=plan.training_params.model_dump(mode="json"),
                chosen_device=choice_of(plan.device),
            )
            await self._create(task, plan)
        self.scheduler.admit()
        return self.store.get(task.id)

    async def export(self, request: ExportRequest) -> Job:
        """Start making something of an adapter that other programs can use.

        Raises:
            LoraDeckError: It cannot be done, or not now; nothing has begun.
        """
        spec = await asyncio.to_thread(prepare_export, self.home, self.store, request)
        return self.jobs.start(spec)

    async def deploy(self, request: DeployRequest) -> Job:
        """Start making a model of Ollama's out of an adapter.

        Raises:
            LoraDeckError: It cannot be done, or not now; nothing has begun.
        """
        spec = await asyncio.to_thread(prepare_deploy, self.home, self.store, request)
        return self.jobs.start(spec)

    def plan_of(self, task: TaskRecord) -> Plan:
        """Read the plan that a task was made from.

        Raises:
            NotFoundError: It is gone, or damaged.
        """
        try:
            return Plan.load(self.home.task(task.id))
        except (OSError, ValueError) as error:
            raise NotFoundError(
                tr("Plan not there"),
                tr("The plan of '{name}' is missing or damaged.", name=task.task_name),
                tr("What it was started with is in the task's record."),
            ) from error

    async def delete(self, task: TaskRecord, *, with_adapter: bool) -> None:
        """Remove an ended task and its folder; its adapter only where that is asked for.

        What lies in its adapter's place without being its own stays.

        Raises:
            ConflictError: The task has not ended.
        """
        if not task.status.ended:
            raise ConflictError(
                tr("Task not ended"),
                tr("'{name}' is {state}.", name=task.task_name, state=tr(task.status)),
                tr("Cancel it first: loradeck tasks cancel {id}", id=task.id),
            )
        folders = [self.store.remove(task.id), self.home.partial_adapter(task.id)]
        self.live.forget(task.id)
        adapter = self.home.adapter(task.task_name)
        if with_adapter and is_made_by(adapter, task.id):
            folders.append(adapter)
        for folder in folders:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _refuse_taken(self, name: str) -> None:
        """Refuse a name that a task or an adapter has."""
        taken = self.store.named(name)
        if not taken and not self.home.adapter(name).exists():
            return
        if taken:
            state = tr(taken.status)
            words = tr("There is a {state} task named '{name}' already.", state=state, name=name)
        else:
            words = tr("There is an adapter named '{name}' already.", name=name)
        raise ConflictError(
            tr("Name taken"),
            words,
            tr("Free is, for example: {free}", free=self._free_name(name)),
        )

    def _free_name(self, name: str) -> str:
        """Number a name so that neither a task nor an adapter has it."""
        return next(
            numbered
            for number in itertools.count(2)
            if not self.store.named(numbered := f"{name}-{number}")
            and not self.home.adapter(numbered).exists()
        )

    async def _create(self, task: TaskRecord, plan: Plan) -> None:
        """Write the task's folder, then its record: a crash between leaves no task."""
        folder = self.home.task(task.id)
        folder.mkdir(mode=0o700)
        try:
            if plan.adapter:
                await asyncio.to_thread(copy_adapter, Path(plan.adapter), folder / START)
            write_atomic(folder / PLAN, plan.model_dump_json(indent=1))
            sync_folder(folder.parent)
            self.store.put(task)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.live.touch(task.id)
