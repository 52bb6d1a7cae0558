"""Exports, and all jobs: start, list, follow, cancel, forget."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse

from engine.jobs.types import Job
from engine.results.export.types import DeployRequest, ExportRequest
from engine.server.context import FoundJob, Service, until_stopped
from engine.server.reach import InReach
from engine.server.wire import STREAM_ERRORS

router = APIRouter(tags=["jobs"])


@router.post("/export", status_code=201)
async def export(service: Service, reach: InReach, request: ExportRequest) -> Job:
    """Start making something of an adapter that other programs can use."""
    return await service.export(reach.export(request))


@router.post("/deploy", status_code=201)
async def deploy(service: Service, reach: InReach, request: DeployRequest) -> Job:
    """Start making a model of another program's out of an adapter."""
    return await service.deploy(reach.deploy(request))


@router.get("/jobs")
async def jobs(service: Service) -> list[Job]:
    """All jobs, newest first."""
    return service.jobs.all()


@router.get("/jobs/{job_id}")
async def job(found: FoundJob) -> Job:
    """One job by its id or the beginning of it."""
    return found


@router.get("/jobs/{job_id}/events", response_class=EventSourceResponse, responses=STREAM_ERRORS)
async def events(service: Service, request: Request, found: FoundJob) -> AsyncIterator[Job]:
    """The job whenever it has moved, until it has ended."""
    async for moved in until_stopped(request, service.jobs.follow(found.id)):
        yield moved


@router.post("/jobs/{job_id}/cancel")
async def cancel(service: Service, found: FoundJob) -> Job:
    """Ask a running job to end; what it has half written is removed."""
    return service.jobs.cancel(found.id)


@router.delete("/jobs/{job_id}")
async def forget(service: Service, found: FoundJob) -> Job:
    """Remove what is kept of an ended job; what it has made stays."""
    return service.jobs.forget(found.id)
