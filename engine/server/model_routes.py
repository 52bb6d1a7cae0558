"""Base models: list, find, fetch."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from engine.models.catalog import list_models
from engine.models.found import ModelScan
from engine.models.scan import scan_models
from engine.models.types import ModelInfo
from engine.plan.capacity import capacity
from engine.plan.types import Device
from engine.server.context import Service
from engine.server.reach import InReach
from engine.server.wire import ModelScanRequest, PullRequest

router = APIRouter(prefix="/models", tags=["models"])


@router.get("")
async def models(service: Service) -> list[ModelInfo]:
    """The base models at hand, and the demo model."""
    found = await asyncio.to_thread(list_models, service.home)
    device = await service.planning.whole_device()
    return [_with_capacity(service.pulls.with_progress(info), device) for info in found]


@router.get("/find")
async def find(service: Service, reach: InReach, name: str) -> ModelInfo:
    """One base model by its name, hub id or path."""
    info = await service.pulls.find(reach.model(name))
    return _with_capacity(info, await service.planning.whole_device())


@router.post("/pull", status_code=202)
async def pull(service: Service, reach: InReach, request: PullRequest) -> ModelInfo:
    """Start fetching or converting a base model; asking again changes nothing."""
    name = reach.model(request.model)
    service.pulls.begin(await service.pulls.find(name))
    return await service.pulls.find(name)


@router.post("/pull/stop")
async def stop_pull(service: Service, reach: InReach, request: PullRequest) -> ModelInfo:
    """End the fetching or converting of a base model; the next one takes up what is there."""
    name = reach.model(request.model)
    await service.pulls.stop((await service.pulls.find(name)).name)
    return await service.pulls.find(name)


def _with_capacity(info: ModelInfo, device: Device) -> ModelInfo:
    """Lay over a model's entry whether it can be trained here."""
    if info.shape is None:
        return info
    return info.model_copy(update={"capacity": capacity(info.shape, device)})


@router.post("/scan")
async def scan(service: Service, reach: InReach, request: ModelScanRequest) -> ModelScan:
    """Adapters, merged models and GGUF files in the home and the cache, or in one folder."""
    folder = reach.folder(request.path) if request.path else None
    tasks = {task.id: (task.task_name, task.base_model) for task in service.store.all()}
    return await asyncio.to_thread(scan_models, service.home, folder, tasks)
