"""What the routes share: the service behind a request, and the life of an event stream."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

from fastapi import Depends, Request

from engine.jobs.types import Job
from engine.server.service import EngineService
from engine.tasks.record import TaskRecord

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

T = TypeVar("T")


async def _service(request: Request) -> EngineService:
    """Give the service behind a request."""
    return cast("EngineService", request.app.state.service)


Service = Annotated[EngineService, Depends(_service)]


async def _found(service: Service, task_id: str) -> TaskRecord:
    """Find the task that a path names, before an answer has begun."""
    return service.store.find(task_id)


FoundTask = Annotated[TaskRecord, Depends(_found)]


async def _found_job(service: Service, job_id: str) -> Job:
    """Find the job that a path names, before an answer has begun."""
    return service.jobs.get(job_id)


FoundJob = Annotated[Job, Depends(_found_job)]


async def until_stopped(request: Request, source: AsyncIterator[T]) -> AsyncIterator[T]:
    """Pass a stream on until it ends or the server does; while it is open, the server stays."""
    activity, stopping = request.app.state.activity, request.app.state.stopping
    activity.open += 1
    stop = asyncio.ensure_future(stopping.wait())
    item = asyncio.ensure_future(anext(source, None))
    try:
        while True:
            await asyncio.wait({item, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not item.done() or (value := item.result()) is None:
                return
            yield value
            item = asyncio.ensure_future(anext(source, None))
    finally:
        stop.cancel()
        item.cancel()
        activity.open -= 1
