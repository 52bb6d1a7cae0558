"""The engine itself: its state, and its end."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request

from engine.language import tr
from engine.machine_load import MachineLoad
from engine.plan.hardware import detect
from engine.plan.types import Device
from engine.server.book_routes import OpenBooks
from engine.server.context import Service
from engine.server.reach import InReach
from engine.server.wire import EngineInfo

router = APIRouter(tags=["engine"])


@router.get("/engine")
async def engine_info(service: Service, books: OpenBooks) -> EngineInfo:
    """Version, process, home and how many tasks run and wait."""
    return service.info().model_copy(update={"unsaved": await books.unsaved()})


@router.get("/engine/load")
async def machine_load(service: Service) -> MachineLoad:
    """What the machine does: processor, memory, cards and workers; looked at once a second."""
    return await service.machine.load()


@router.get("/engine/devices")
async def devices() -> list[Device]:
    """What a training can compute on, with what is free now; a plan takes the first by itself."""
    return await asyncio.to_thread(detect)


@router.post("/engine/stop", status_code=202)
async def stop_engine(request: Request, reach: InReach) -> None:
    """End the server; workers go on and are adopted by the next one."""
    reach.local_only(tr("The engine is stopped only on the engine's own machine."))
    request.app.state.stopping.set()
