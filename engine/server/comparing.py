"""Asks the engine for what a comparison tells of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from engine.errors import EngineUnavailableError, LoraDeckError
from engine.results.comparison import Compared
from engine.tasks.record import Status

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from engine.server.task_client import TaskCalls

T = TypeVar("T")


async def look_up(calls: TaskCalls, reference: str) -> Compared:
    """Find a task with its report and the size of its dataset, as far as there are any."""
    task = await calls.task(reference)
    judged = task.status is Status.COMPLETED
    report = await _unless_missing(calls.report(task.id)) if judged else None
    plan = await _unless_missing(calls.plan_of(task.id))
    return Compared(task=task, report=report, rows=plan.dataset.rows if plan else None)


async def _unless_missing(asked: Awaitable[T]) -> T | None:
    """Wait for what a task may lack, or have damaged; a lost engine is another matter."""
    try:
        return await asked
    except EngineUnavailableError:
        raise
    except LoraDeckError:
        return None
