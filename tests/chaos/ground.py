"""The home that faults are injected into, its tasks, and what was done to it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import EngineUnavailableError
from engine.locks import holder
from engine.server.client import EngineClient
from engine.server.main import LOCK
from engine.tasks.events import CheckpointSaved, TaskCompleted
from engine.tasks.journal import read_events
from engine.train.worker import LOCK as WORKER_LOCK
from tests.chaos.processes import is_worker, of_home

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from random import Random

    from engine.home import Home
    from engine.tasks.events import Event

T = TypeVar("T")
_QUICK_SECONDS = 60.0


@dataclass
class Ground:
    """One home under attack."""

    folder: Path
    """The harness's own, which never gets full."""
    home: Home
    random: Random
    began: float = field(default_factory=time.monotonic)
    log: list[str] = field(default_factory=list)
    """Every fault with its time, and what else happened."""
    violations: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    """Ids, oldest first."""
    torn_journals: set[str] = field(default_factory=set)
    store_torn: threading.Event = field(default_factory=threading.Event)
    """Set while the harness itself has torn the store and no server has mended it."""
    cancelled: set[str] = field(default_factory=set)
    """Tasks that were cancelled on purpose, and are to go on."""
    sleepers: list[socket.socket] = field(default_factory=list)
    """Connections that nobody reads from."""
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)
    due: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    """What ends faults that last a while, and when (monotonic seconds)."""
    _interrupted: dict[str, list[int]] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Write down what happens, with its time."""
        self.log.append(f"{time.monotonic() - self.began:8.2f}  {text}")

    def violated(self, text: str) -> None:
        """Write down that an invariant does not hold."""
        if text not in self.violations:
            self.violations.append(text)
            self.note("VIOLATED: " + text)

    def ask(self, talk: Callable[[EngineClient], Awaitable[T]]) -> T:
        """Talk to the home's server as a user's client would; one is started where none runs."""

        async def session() -> T:
            async with EngineClient(self.home) as client:
                await client.connect()
                self.store_torn.clear()
                return await talk(client)

        try:
            return asyncio.run(asyncio.wait_for(session(), _QUICK_SECONDS))
        except TimeoutError:
            self.violated(f"a request was not answered within {_QUICK_SECONDS:.0f} s")
            raise EngineUnavailableError("No answer", "The engine is silent.") from None

    def records(self) -> dict[str, dict[str, Any]]:
        """Read the store as it lies on the disk, by id; empty where it is torn or not there."""
        try:
            content = json.loads(self.home.store_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {record["id"]: record for record in content.get("tasks", {}).values()}

    def statuses(self) -> dict[str, str]:
        """Give each task's state as the store has it."""
        return {task: str(record["status"]) for task, record in self.records().items()}

    def open_tasks(self) -> list[str]:
        """List the tasks that are under way or wait, by what their journals say."""
        return [task for task in self.tasks if not self._is_done(task)]

    def _is_done(self, task: str) -> bool:
        """Tell whether a journal ends with its task's completion."""
        return any(isinstance(event, TaskCompleted) for event in self.events(task)[-1:])

    def current(self) -> str | None:
        """Give the task that is under way or will be next; ``None`` where all are done."""
        return next(iter(self.open_tasks()), None)

    def events(self, task: str) -> list[Event]:
        """Read a task's journal."""
        return list(read_events(self.home.task(task)))

    def server(self) -> int | None:
        """Give the pid of the server."""
        return holder(self.home.run / LOCK) or None

    def worker(self) -> int | None:
        """Give the pid of the process that holds a task's lock."""
        locks = (self.home.task(task) / WORKER_LOCK for task in self.tasks)
        return next((pid for lock in locks if (pid := holder(lock))), None)

    def workers(self) -> list[int]:
        """Give the pids of all workers, those that import still and spare ones too."""
        return [process.pid for process in of_home(self.home.root) if is_worker(process)]

    def may_interrupt(self, before: int = 0) -> bool:
        """Tell whether the task was interrupted at most so often since it last got on.

        More than three interruptions without progress fail a task by design, and of two kills at
        one place the engine concludes that memory is short and trains in smaller passes, which
        round otherwise: the harness must leave progress between them.
        """
        task = self.current()
        return task is None or self._standstills(task) <= before

    def interrupts(self) -> None:
        """Remember how far the task is that is interrupted now."""
        if task := self.current():
            self._interrupted.setdefault(task, []).append(self._reached(task))

    def _standstills(self, task: str) -> int:
        """Count the interruptions since the task last got on."""
        reached = self._reached(task)
        return sum(place >= reached for place in self._interrupted.get(task, ()))

    def _reached(self, task: str) -> int:
        """Give the step of the newest checkpoint that a journal ever told of."""
        steps = (one.step for one in self.events(task) if isinstance(one, CheckpointSaved))
        return max(steps, default=0)

    def start(self, *command: str | Path) -> subprocess.Popen[bytes]:
        """Start a process that belongs to the home; ``tidy`` collects it."""
        with (self.folder / "children.log").open("ab") as output:
            child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.home.root,
            )
        self.children.append(child)
        return child

    def later(self, seconds: float, do: Callable[[], object]) -> None:
        """Have something done by ``tidy`` when its time has come."""
        self.due.append((time.monotonic() + seconds, do))

    def tidy(self, *, everything: bool = False) -> None:
        """End the faults whose time has come, and collect children that ended."""
        now = time.monotonic()
        ripe = [one for one in self.due if everything or one[0] <= now]
        self.due = [one for one in self.due if one not in ripe]
        for _, do in ripe:
            do()
        self.children = [child for child in self.children if child.poll() is None]
