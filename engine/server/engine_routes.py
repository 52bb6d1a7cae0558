"""The engine itself: its state, and its end."""

from __future__ import annotations

from fastapi import APIRouter, Request

from engine.server.context import Service
from engine.server.wire import EngineInfo

router = APIRouter(tags=["engine"])


@router.get("/engine")
async def engine_info(service: Service) -> EngineInfo:
    """Version, process, home and how many tasks run and wait."""
    return service.info()


@router.post("/engine/stop", status_code=202)
async def stop_engine(request: Request) -> None:
    """End the server; workers go on and are adopted by the next one."""
    request.app.state.stopping.set()
