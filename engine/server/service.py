"""What the engine can do for its clients; the interface's routes only translate."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import shutil
import time
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine import __version__
from engine.data.inspect import refuse_errors
from engine.data.measure import measure_in_process
from engine.data.scan_cache import row_keys
from engine.data.scan_process import inspect_whole
from engine.errors import ConflictError, LoraDeckError, NotFoundError, WeightsMissingError
from engine.files import sync_folder, write_atomic
from engine.jobs.jobs import Jobs
from engine.language import tr
from engine.machine_load import MachineWatch
from engine.models.adapters import copy_adapter, is_made_by
from engine.models.catalog import find_model, find_unweighted, list_models
from engine.plan.abilities import attention_kernels
from engine.plan.calibration import Calibrations
from engine.plan.device_names import choice_of
from engine.plan.findings import overlap_finding, refuse_impossible
from engine.plan.hardware import best_device, detect
from engine.plan.own_device import asked_device, own_device
from engine.plan.parameters import check_overrides
from engine.plan.planner import make_plan
from engine.plan.presets import find_preset
from engine.plan.types import PLAN, Plan
from engine.results.chat.assistants import Assistants
from engine.results.chat.conversations import Conversations
from engine.results.chat.holder import ChatHolder
from engine.server.chat_service import Chats
from engine.server.chat_targets import Targets
from engine.server.deploy_source import prepare_deploy
from engine.server.export_source import prepare_export
from engine.server.further import find_further
from engine.server.pulls import Pulls
from engine.server.reach import absolute
from engine.server.wire import EngineInfo
from engine.tasks.admission import held, same
from engine.tasks.control import Control
from engine.tasks.curve_keeper import CurveKeeper
from engine.tasks.live import LiveTasks
from engine.tasks.pool import WorkerPool
from engine.tasks.record import Status, TaskRecord, check_task_name
from engine.tasks.scheduler import Scheduler
from engine.tasks.store import TaskStore
from engine.train.spec import START

if TYPE_CHECKING:
    from engine.data.types import Inspection, Lengths
    from engine.home import Home
    from engine.jobs.types import Job
    from engine.models.types import ModelInfo
    from engine.plan.own_device import FindsDevice
    from engine.plan.types import Device
    from engine.results.export.types import DeployRequest, ExportRequest
    from engine.server.wire import PlanRequest, TrainRequest
    from engine.settings import Settings

log = logging.getLogger(__name__)
_LENGTHS_KEPT = 32


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
        self.network = ""
        self.stays = False
        self._creating = asyncio.Lock()
        self._lengths: OrderedDict[tuple[str, str, str], Lengths] = OrderedDict()

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

    async def whole_device(self, asked: str = "", find: FindsDevice = asked_device) -> Device:
        """Give the device of a run with what tasks and chats hold of it: it waits for them.

        Args:
            asked: What the user named; empty for the best one.
            find: Finds that among the machine's devices.

        Raises:
            LoraDeckError: It is not to be found.
        """
        device = find(asked, await asyncio.to_thread(detect))
        there = (one for one in self.scheduler.occupants() if same(one.plan.device, device))
        ours = sum(held(one.pid, device) for one in there) + self.chats.held(device)
        return device.model_copy(update={"memory_free": device.memory_free + ours})

    async def plan(self, request: PlanRequest, find: FindsDevice = asked_device) -> Plan:
        """Decide every parameter of a run; meanwhile a spare worker imports what it will need.

        Args:
            request: What it is made from.
            find: Finds the device that is named there.

        Raises:
            LoraDeckError: The dataset, the model or an override is of no use.
        """
        overrides = check_overrides(request.overrides)
        further = await asyncio.to_thread(find_further, self.home, self.store, request.adapter)
        find_preset(request.preset)
        if request.device:  # an unknown one is refused before the rows are read
            find(request.device, await asyncio.to_thread(detect))
        dataset = absolute(request.dataset_file)
        inspection = await inspect_whole(self.home.cache, dataset, request.mapping)
        refuse_errors(inspection, request.leave_out)
        base_model = request.base_model or further.base
        model = await self._planned_model(base_model)
        further.check_base(model)
        device = await self.whole_device(request.device, find)
        if not device.hypothetical:
            self.pool.warm(device.uuid)
        lengths = await self._measure(inspection, request.mapping, model)
        making = partial(
            make_plan,
            inspection=inspection,
            lengths=lengths,
            model=model,
            device=device,
            overrides=overrides,
            leave_out=request.leave_out,
            disk_free=shutil.disk_usage(self.home.root).free,
            dataset_file=str(dataset),
            base_model=base_model,
            preset=request.preset,
            adapter=str(further.folder or ""),
            adapter_params=further.params,
            kernels=attention_kernels(),
            calibrations=Calibrations.load(self.home.calibrations),
        )
        plan = making()
        if not plan.memory.fits:
            # Only then the other models matter; reading them all takes a moment.
            plan = making(models=await asyncio.to_thread(list_models, self.home))
        return await asyncio.to_thread(self._with_overlap, plan)

    async def _planned_model(self, name: str) -> ModelInfo:
        """Find a base model; for a plan its configuration and tokenizer suffice."""
        try:
            return await self._ready_model(name)
        except WeightsMissingError:
            return await asyncio.to_thread(find_unweighted, self.home, name)

    async def _ready_model(self, name: str) -> ModelInfo:
        """Find a base model that lies on this machine.

        Raises:
            LoraDeckError: It is unknown, of no use, or not fetched yet.
        """
        model = await asyncio.to_thread(find_model, self.home, name)
        if model.state != "ready" or model.path is None:
            raise LoraDeckError(
                tr("Base model not ready"),
                tr("'{name}' is not on this machine yet.", name=model.name),
                tr("Fetch it with: loradeck models pull {name}", name=model.name),
            )
        return model

    def _with_overlap(self, plan: Plan) -> Plan:
        """Add what repeated rows mean for the evaluation; a million rows take a second."""
        if not plan.training_params.eval_rows:
            return plan
        keys = row_keys(self.home.cache, plan.dataset) or ()
        found = overlap_finding(keys, plan.training_params)
        return plan.model_copy(update={"findings": (*plan.findings, *found)})

    async def train(self, request: TrainRequest) -> TaskRecord:
        """Create a task from a plan that can be carried out; it is queued at once.

        Raises:
            LoraDeckError: The name or the plan is of no use.
            ConflictError: The name is taken.
        """
        name = check_task_name(request.task_name)
        self._refuse_taken(name)
        plan = await self.plan(request, own_device)
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

    async def _measure(
        self, inspection: Inspection, mapping: dict[str, str], model: ModelInfo
    ) -> Lengths:
        """Tokenize the dataset in a process of its own; a second look is instant."""
        key = (inspection.sha256, str(inspection.shape), str(model.path))
        if key not in self._lengths:
            self._lengths[key] = await measure_in_process(
                Path(inspection.path),
                Path(model.path or ""),
                cache=self.home.cache,
                inspection=inspection,
                mapping=mapping,
                context=model.shape.context if model.shape else None,
            )
            if len(self._lengths) > _LENGTHS_KEPT:
                self._lengths.popitem(last=False)
        return self._lengths[key]

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
