"""Jobs: list, follow, cancel, forget."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse

from engine.jobs.types import Job
from engine.server.context import FoundJob, Service, until_stopped
from engine.server.wire import STREAM_ERRORS

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get("")
async def jobs(service: Service) -> list[Job]:
    """All jobs, newest first."""
    return service.jobs.all()


@router.get("/{job_id}")
async def job(found: FoundJob) -> Job:
    """One job by its id or the beginning of it."""
    return found


@router.get("/{job_id}/events", response_class=EventSourceResponse, responses=STREAM_ERRORS)
async def events(service: Service, request: Request, found: FoundJob) -> AsyncIterator[Job]:
    """The job whenever it has moved, until it has ended."""
    async for moved in until_stopped(request, service.jobs.follow(found.id)):
        yield moved


@router.post("/{job_id}/cancel")
async def cancel(service: Service, found: FoundJob) -> Job:
    """Ask a running job to end; what it has half written is removed."""
    return service.jobs.cancel(found.id)


@router.delete("/{job_id}")
async def forget(service: Service, found: FoundJob) -> Job:
    """Remove what is kept of an ended job; what it has made stays."""
    return service.jobs.forget(found.id)
