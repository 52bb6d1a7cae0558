"""Planning: what a run would be, from a dataset, a base model, the wishes and this machine."""

from __future__ import annotations

import asyncio
import shutil
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.inspect import refuse_errors
from engine.data.measure import measure_in_process
from engine.data.scan_cache import row_keys
from engine.data.scan_process import inspect_whole
from engine.errors import LoraDeckError, WeightsMissingError
from engine.language import tr
from engine.models.catalog import find_model, find_unweighted, list_models
from engine.plan.abilities import attention_kernels
from engine.plan.calibration import Calibrations
from engine.plan.findings import overlap_finding
from engine.plan.hardware import detect
from engine.plan.own_device import asked_device
from engine.plan.parameters import check_overrides
from engine.plan.planner import make_plan
from engine.plan.presets import find_preset
from engine.server.further import find_further
from engine.server.reach import absolute
from engine.tasks.admission import held, same

if TYPE_CHECKING:
    from engine.data.types import Inspection, Lengths
    from engine.home import Home
    from engine.models.types import ModelInfo
    from engine.plan.own_device import FindsDevice
    from engine.plan.types import Device, Plan
    from engine.server.chat_service import Chats
    from engine.server.wire import PlanRequest
    from engine.tasks.pool import WorkerPool
    from engine.tasks.scheduler import Scheduler
    from engine.tasks.store import TaskStore

_LENGTHS_KEPT = 32


class Planning:
    """Plans runs on one home; has measured what it planned for lately."""

    def __init__(
        self, home: Home, store: TaskStore, scheduler: Scheduler, pool: WorkerPool, chats: Chats
    ) -> None:
        self._home, self._store = home, store
        self._scheduler, self._pool, self._chats = scheduler, pool, chats
        self._measured: OrderedDict[tuple[str, str, str], Lengths] = OrderedDict()

    async def plan(self, request: PlanRequest, find: FindsDevice = asked_device) -> Plan:
        """Decide every parameter of a run; meanwhile a spare worker imports what it will need.

        Args:
            request: What it is made from.
            find: Finds the device that is named there.

        Raises:
            LoraDeckError: The dataset, the model or an override is of no use.
        """
        overrides = check_overrides(request.overrides)
        further = await asyncio.to_thread(find_further, self._home, self._store, request.adapter)
        find_preset(request.preset)
        if request.device:  # an unknown one is refused before the rows are read
            find(request.device, await asyncio.to_thread(detect))
        dataset = absolute(request.dataset_file)
        inspection = await inspect_whole(self._home.cache, dataset, request.mapping)
        refuse_errors(inspection, request.leave_out)
        base_model = request.base_model or further.base
        model = await self._planned_model(base_model)
        further.check_base(model)
        device = await self.whole_device(request.device, find)
        if not device.hypothetical:
            self._pool.warm(device.uuid)
        lengths = await self._measure(inspection, request.mapping, model)
        making = partial(
            make_plan,
            inspection=inspection,
            lengths=lengths,
            model=model,
            device=device,
            overrides=overrides,
            leave_out=request.leave_out,
            disk_free=shutil.disk_usage(self._home.root).free,
            dataset_file=str(dataset),
            base_model=base_model,
            preset=request.preset,
            adapter=str(further.folder or ""),
            adapter_params=further.params,
            kernels=attention_kernels(),
            calibrations=Calibrations.load(self._home.calibrations),
        )
        plan = making()
        if not plan.memory.fits:
            # Only then the other models matter; reading them all takes a moment.
            plan = making(models=await asyncio.to_thread(list_models, self._home))
        return await asyncio.to_thread(self._with_overlap, plan)

    async def whole_device(self, asked: str = "", find: FindsDevice = asked_device) -> Device:
        """Give the device of a run with what tasks and chats hold of it: it waits for them.

        Args:
            asked: What the user named; empty for the best one.
            find: Finds that among the machine's devices.

        Raises:
            LoraDeckError: It is not to be found.
        """
        device = find(asked, await asyncio.to_thread(detect))
        there = (one for one in self._scheduler.occupants() if same(one.plan.device, device))
        ours = sum(held(one.pid, device) for one in there) + self._chats.held(device)
        return device.model_copy(update={"memory_free": device.memory_free + ours})

    async def _planned_model(self, name: str) -> ModelInfo:
        """Find a base model; for a plan its configuration and tokenizer suffice."""
        try:
            return await self._ready_model(name)
        except WeightsMissingError:
            return await asyncio.to_thread(find_unweighted, self._home, name)

    async def _ready_model(self, name: str) -> ModelInfo:
        """Find a base model that lies on this machine.

        Raises:
            LoraDeckError: It is unknown, of no use, or not fetched yet.
        """
        model = await asyncio.to_thread(find_model, self._home, name)
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
        keys = row_keys(self._home.cache, plan.dataset) or ()
        found = overlap_finding(keys, plan.training_params)
        return plan.model_copy(update={"findings": (*plan.findings, *found)})

    async def _measure(
        self, inspection: Inspection, mapping: dict[str, str], model: ModelInfo
    ) -> Lengths:
        """Tokenize the dataset in a process of its own; a second look is instant."""
        key = (inspection.sha256, str(inspection.shape), str(model.path))
        if key not in self._measured:
            self._measured[key] = await measure_in_process(
                Path(inspection.path),
                Path(model.path or ""),
                cache=self._home.cache,
                inspection=inspection,
                mapping=mapping,
                context=model.shape.context if model.shape else None,
            )
            if len(self._measured) > _LENGTHS_KEPT:
                self._measured.popitem(last=False)
        return self._measured[key]
