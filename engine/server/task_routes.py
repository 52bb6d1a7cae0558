"""Tasks: plan, train, list, follow, cancel, delete."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.sse import EventSourceResponse

from engine.plan.types import Plan
from engine.results.report.files import report_of
from engine.results.report.types import Report
from engine.server.context import FoundTask, Service, until_stopped
from engine.server.reach import InReach
from engine.server.wire import STREAM_ERRORS, PlanRequest, TrainRequest
from engine.tasks.curves import Curves
from engine.tasks.events import Event
from engine.tasks.journal import events_of
from engine.tasks.queue import Where
from engine.tasks.record import TaskRecord
from engine.tasks.view import TasksUpdate
from engine.tasks.worker_log import tail

router = APIRouter(tags=["tasks"])
_MOST_OF = 1000


@router.post("/plan")
async def plan(service: Service, reach: InReach, request: PlanRequest) -> Plan:
    """Every parameter of a run, with its reason; nothing is created."""
    return await service.planning.plan(reach.plan(request))


@router.post("/train", status_code=201)
async def train(service: Service, reach: InReach, request: TrainRequest) -> TaskRecord:
    """Create a task and queue it."""
    return await service.train(reach.plan(request))


@router.get("/tasks")
async def tasks(service: Service) -> list[TaskRecord]:
    """All tasks, newest first."""
    return [service.live.view(task.id).task for task in service.store.all()]


@router.get("/tasks/{task_id}")
async def task(service: Service, found: FoundTask) -> TaskRecord:
    """One task by its id, the beginning of it, or its name."""
    return service.live.view(found.id).task


@router.get("/tasks/{task_id}/plan")
async def task_plan(service: Service, found: FoundTask) -> Plan:
    """The plan that the task was made from."""
    return await asyncio.to_thread(service.plan_of, found)


@router.get("/tasks/{task_id}/report")
async def task_report(service: Service, found: FoundTask) -> Report:
    """What a completed task's adapter is worth, beside its base, and how it came about."""
    return await asyncio.to_thread(report_of, service.home, found)


@router.post("/tasks/{task_id}/cancel")
async def cancel(service: Service, found: FoundTask, *, keep: bool = True) -> TaskRecord:
    """End a task without a result; with ``keep`` its checkpoints stay, and it can be resumed."""
    return service.control.cancel(found, keep=keep)


@router.post("/tasks/{task_id}/pause")
async def pause(service: Service, found: FoundTask) -> TaskRecord:
    """Pause a running task at its next step, or hold a pending one back."""
    return service.control.pause(found)


@router.post("/tasks/{task_id}/resume")
async def resume(service: Service, found: FoundTask) -> TaskRecord:
    """Queue a paused, failed or cancelled task again; it goes on from its newest checkpoint."""
    return service.control.resume(found)


@router.post("/tasks/{task_id}/finish")
async def finish(service: Service, found: FoundTask) -> TaskRecord:
    """End the training early; what it has learned becomes the result."""
    return service.control.finish(found)


@router.post("/tasks/{task_id}/start")
async def start(service: Service, found: FoundTask, *, anyway: bool = False) -> TaskRecord:
    """Start a waiting task now; with ``anyway`` although its memory is not free."""
    return service.control.start(found, anyway=anyway)


@router.post("/tasks/{task_id}/move")
async def move(service: Service, found: FoundTask, where: Where) -> TaskRecord:
    """Move a pending task among those of its priority."""
    return service.control.move(found, where)


@router.post("/tasks/{task_id}/priority")
async def prioritize(
    service: Service, found: FoundTask, priority: Annotated[int, Query(ge=-100, le=100)]
) -> TaskRecord:
    """Let a task that has not started yet go before those of a lower priority."""
    return service.control.prioritize(found, priority)


@router.delete("/tasks/{task_id}")
async def delete(service: Service, found: FoundTask, *, adapter: bool = False) -> TaskRecord:
    """Remove an ended task with its folder, and its adapter if asked."""
    await service.delete(found, with_adapter=adapter)
    return found


@router.get("/tasks/{task_id}/log")
async def log(
    service: Service, found: FoundTask, lines: Annotated[int, Query(ge=1, le=10_000)] = 200
) -> dict[str, str]:
    """The end of the worker's log."""
    return {"log": tail(service.home.task(found.id), lines)}


@router.get("/tasks/{task_id}/events", response_class=EventSourceResponse, responses=STREAM_ERRORS)
async def events(
    service: Service,
    request: Request,
    found: FoundTask,
    after: Annotated[int, Query(ge=0)] = 0,
    tail: Annotated[int, Query(ge=0, le=100_000)] = 0,
    *,
    follow: bool = True,
) -> AsyncIterator[Event]:
    """A task's events, one a line; with ``follow`` until the task has ended.

    With ``tail``, of those that are there already only so many, the last ones.
    """
    source = service.live.events(found.id, after, follow=follow, tail=tail)
    async for event in until_stopped(request, source):
        yield event


@router.get("/tasks/{task_id}/events/of")
async def events_of_kinds(
    service: Service, found: FoundTask, kind: Annotated[list[str], Query(min_length=1)]
) -> list[Event]:
    """The last 1,000 of a task's events of some kinds, such as ``sample_answered``."""
    return await asyncio.to_thread(events_of, service.home.task(found.id), kind, _MOST_OF)


@router.get("/tasks/{task_id}/curves")
async def curves(
    service: Service,
    found: FoundTask,
    points: Annotated[int, Query(ge=3, le=10_000)] = 1000,
    first: Annotated[int, Query(ge=0)] = 0,
    last: Annotated[int | None, Query(ge=0)] = None,
) -> Curves:
    """Losses, learning rate, gradient norm and pace over the steps, thinned to some points."""
    return await service.curves.curves(found.id, points, first, last)


@router.get("/watch", response_class=EventSourceResponse, responses=STREAM_ERRORS)
async def watch(service: Service, request: Request) -> AsyncIterator[TasksUpdate]:
    """All tasks, in parts with ``more`` set, then what changes, at most five times a second."""
    await service.warm()
    async for update in until_stopped(request, service.live.updates()):
        yield update
