"""A scheduler over workers that do nothing but what a test tells them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from engine.plan.types import Device
from engine.settings import Settings
from engine.tasks.admission import Admission
from engine.tasks.control import Control
from engine.tasks.journal import JournalWriter
from engine.tasks.live import LiveTasks
from engine.tasks.scheduler import Scheduler
from engine.tasks.store import TaskStore
from tests.engine.tasks.make import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.home import Home
    from engine.tasks.events import Event
    from engine.tasks.record import Status, TaskRecord
    from engine.train.spec import TaskSpec

CPU = Device(kind="cpu", name="CPU", memory_total=1000, memory_free=1000)


class FakeProcess:
    """Can be killed, and remembers it."""

    killed = False

    def kill(self) -> None:
        """Note that it was killed."""
        self.killed = True


class FakeWorker:
    """Takes a task and ends when the test says so."""

    gpu = ""

    def __init__(self) -> None:
        self.process = FakeProcess()
        self.spec: TaskSpec | None = None

    def give(self, spec: TaskSpec) -> None:
        """Take the task."""
        self.spec = spec

    def pump(self, on_event: Callable[[Event], None], on_exit: Callable[[int], None]) -> None:
        """Remember whom to call."""
        self.on_event, self.on_exit = on_event, on_exit


class FakePool:
    """Gives out fake workers."""

    spare_pid = None

    def __init__(self) -> None:
        self.given: list[FakeWorker] = []
        self.warmed = 0

    def take(self, gpu: str) -> FakeWorker:
        """Give a new worker."""
        self.given.append(FakeWorker())
        return self.given[-1]

    def warm(self, gpu: str) -> None:
        """Count."""
        self.warmed += 1


class Bench:
    """A scheduler over a fake pool, and a hand in the journals."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.store = TaskStore(home)
        self.live = LiveTasks(home, self.store)
        self.pool = FakePool()
        self.cpu = CPU
        self.devices: list[Device] = []
        """In place of the processor, where there are any."""
        self.scheduler = self.another()
        self.control = Control(self.store, self.live, self.scheduler)

    def another(self) -> Scheduler:
        """A scheduler as a second server would have it."""
        pool: Any = self.pool
        settings = Settings(stop_grace_seconds=0.05)
        admission = Admission(settings, self.home.root, lambda: self.devices or [self.cpu])
        return Scheduler(self.home, settings, self.store, self.live, pool, admission)

    def add(self, name: str, **changes: Any) -> TaskRecord:
        """Store a task with its folder."""
        task = record(task_name=name, **changes)
        folder = self.home.task(task.id)
        folder.mkdir(parents=True)
        (folder / "plan.json").write_text("{}")
        return self.store.put(task)

    def journal(self, task: TaskRecord, *events: Event) -> None:
        """Write events as the task's worker would."""
        writer = JournalWriter(self.home.task(task.id))
        for event in events:
            writer.append(event)
        writer.close()

    def status(self, task: TaskRecord) -> Status:
        """Ask the store."""
        return self.store.get(task.id).status


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)
