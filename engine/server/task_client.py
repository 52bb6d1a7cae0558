"""The part of the engine's client that looks at tasks and does something with them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import TypeAdapter

from engine.errors import NotFoundError
from engine.language import tr
from engine.plan.types import Plan
from engine.results.report.types import Report
from engine.server.calls import Calls
from engine.tasks.curves import Curves
from engine.tasks.events import Event
from engine.tasks.record import TaskRecord
from engine.text import check_utf8

if TYPE_CHECKING:
    from engine.tasks.queue import Where

_LONGEST = 4096
"""Characters of a name: a path of Linux has no more bytes."""

_TASKS = TypeAdapter(list[TaskRecord])
_EVENTS = TypeAdapter(list[Event])


class TaskCalls(Calls):
    """What can be asked about tasks over any connection."""

    async def tasks(self) -> list[TaskRecord]:
        """List all tasks, newest first."""
        return _TASKS.validate_python(await self.call("GET", "/tasks"))

    async def task(self, task_id: str) -> TaskRecord:
        """Find a task by its id, an unambiguous beginning of it, or its name."""
        return TaskRecord.model_validate(await self.call("GET", task_path(task_id)))

    async def plan_of(self, task_id: str) -> Plan:
        """Read the plan that a task was made from."""
        return Plan.model_validate(await self.call("GET", task_path(task_id) + "/plan"))

    async def report(self, task_id: str) -> Report:
        """Read what a completed task's adapter is worth.

        Raises:
            NotFoundError: The task has not completed, or there is no report on it.
        """
        return Report.model_validate(await self.call("GET", task_path(task_id) + "/report"))

    async def cancel(self, task_id: str, *, keep: bool = True) -> TaskRecord:
        """Ask a task to end without a result; with ``keep`` it can be resumed after all."""
        return await self._act(task_id, f"cancel?keep={str(keep).lower()}")

    async def pause(self, task_id: str) -> TaskRecord:
        """Ask a task to pause at its next step, or hold a pending one back."""
        return await self._act(task_id, "pause")

    async def resume(self, task_id: str) -> TaskRecord:
        """Queue a paused, failed or cancelled task again."""
        return await self._act(task_id, "resume")

    async def finish(self, task_id: str) -> TaskRecord:
        """Ask a task to end its training and keep what it has learned as the result."""
        return await self._act(task_id, "finish")

    async def start(self, task_id: str, *, anyway: bool = False) -> TaskRecord:
        """Start a waiting task now; with ``anyway`` although its memory is not free."""
        return await self._act(task_id, f"start?anyway={str(anyway).lower()}")

    async def move(self, task_id: str, where: Where) -> TaskRecord:
        """Move a pending task among those of its priority."""
        return await self._act(task_id, f"move?where={where}")

    async def prioritize(self, task_id: str, priority: int) -> TaskRecord:
        """Let a task that has not started yet go before those of a lower priority."""
        return await self._act(task_id, f"priority?priority={priority}")

    async def _act(self, task_id: str, action: str) -> TaskRecord:
        """Do something with a task."""
        return TaskRecord.model_validate(await self.call("POST", f"{task_path(task_id)}/{action}"))

    async def delete(self, task_id: str, *, with_adapter: bool = False) -> TaskRecord:
        """Remove an ended task with its folder, and its adapter where that is asked for."""
        path = f"{task_path(task_id)}?adapter={str(with_adapter).lower()}"
        return TaskRecord.model_validate(await self.call("DELETE", path))

    async def curves(
        self, task_id: str, points: int = 1000, first: int = 0, last: int | None = None
    ) -> Curves:
        """Read a task's losses, learning rate, gradient norm and pace, thinned to some points.

        Args:
            points: How many at most; the first and the last step are among them.
            first: The first step that is wanted, of ``last`` the last one; ``None`` for the newest.
        """
        end = "" if last is None else f"&last={last}"
        path = f"{task_path(task_id)}/curves?points={points}&first={first}{end}"
        return Curves.model_validate(await self.call("GET", path))

    async def events_of(self, task_id: str, *kinds: str) -> list[Event]:
        """List the last 1,000 of a task's events of some kinds, such as ``sample_answered``."""
        query = "&".join("kind=" + quoted(kind) for kind in kinds)
        return _EVENTS.validate_python(
            await self.call("GET", f"{task_path(task_id)}/events/of?{query}")
        )

    async def log(self, task_id: str, lines: int = 200) -> str:
        """Read the end of a task's worker log."""
        answer = await self.call("GET", f"{task_path(task_id)}/log?lines={lines}")
        return str(answer["log"])


def task_path(task_id: str) -> str:
    """Give the path of a task, whatever signs its name has."""
    return "/tasks/" + quoted(task_id)


def quoted(name: str) -> str:
    """Make a name part of a path.

    Raises:
        NotFoundError: It is so long that nothing can have it; httpx would refuse it as a fault.
    """
    if len(name) > _LONGEST:
        words = tr("Nothing has a name of {count:,} characters.", count=len(name))
        raise NotFoundError(tr("Name too long"), words)
    return quote(check_utf8(name), safe="")
