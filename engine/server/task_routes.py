"""Tasks: plan, train, list, follow, cancel, delete."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.sse import EventSourceResponse

from engine.plan.types import Plan
from engine.server.context import Service, until_stopped
from engine.server.wire import PlanRequest, TrainRequest
from engine.tasks.events import Event
from engine.tasks.record import TaskRecord
from engine.tasks.view import TasksUpdate

router = APIRouter(tags=["tasks"])


@router.post("/plan")
async def plan(service: Service, request: PlanRequest) -> Plan:
    """Every parameter of a run, with its reason; nothing is created."""
    return await service.plan(request)


@router.post("/train", status_code=201)
async def train(service: Service, request: TrainRequest) -> TaskRecord:
    """Create a task and queue it."""
    return await service.train(request)


@router.get("/tasks")
async def tasks(service: Service) -> list[TaskRecord]:
    """All tasks, newest first."""
    return [service.live.view(task.id).task for task in service.store.all()]


@router.get("/tasks/{task_id}")
async def task(service: Service, task_id: str) -> TaskRecord:
    """One task by its id, the beginning of it, or its name."""
    return service.live.view(service.store.find(task_id).id).task


@router.get("/tasks/{task_id}/plan")
async def task_plan(service: Service, task_id: str) -> Plan:
    """The plan that the task was made from."""
    folder = service.home.task(service.store.find(task_id).id)
    return Plan.model_validate_json((folder / "plan.json").read_text(encoding="utf-8"))


@router.post("/tasks/{task_id}/cancel")
async def cancel(service: Service, task_id: str) -> TaskRecord:
    """End a task without a result."""
    return service.scheduler.cancel(service.store.find(task_id))


@router.delete("/tasks/{task_id}")
async def delete(service: Service, task_id: str, *, adapter: bool = False) -> TaskRecord:
    """Remove an ended task with its folder, and its adapter if asked."""
    found = service.store.find(task_id)
    service.delete(found, with_adapter=adapter)
    return found


@router.get("/tasks/{task_id}/log")
async def log(
    service: Service, task_id: str, lines: Annotated[int, Query(ge=1, le=10_000)] = 200
) -> dict[str, str]:
    """The end of the worker's log."""
    return {"log": service.log_tail(service.store.find(task_id), lines)}


@router.get("/tasks/{task_id}/events", response_class=EventSourceResponse)
async def events(
    service: Service,
    request: Request,
    task_id: str,
    after: Annotated[int, Query(ge=0)] = 0,
    *,
    follow: bool = True,
) -> AsyncIterator[Event]:
    """A task's events, one a line; with ``follow`` until the task has ended."""
    found = service.store.find(task_id)
    source = service.live.events(found.id, after, follow=follow)
    async for event in until_stopped(request, source):
        yield event


@router.get("/watch", response_class=EventSourceResponse)
async def watch(service: Service, request: Request) -> AsyncIterator[TasksUpdate]:
    """All tasks, then those that change, at most five times a second."""
    await service.warm()
    async for update in until_stopped(request, service.live.updates()):
        yield update
