"""Runs tasks in one home and injects faults until there were enough."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import sample_datasets
from engine.errors import LoraDeckError
from engine.server.stop import stop_server
from engine.tasks.record import Status
from tests.chaos.faults import FAULTS
from tests.chaos.follower import Follower
from tests.chaos.invariants import OF_A_TASK, OF_THE_HOME
from tests.chaos.plans import request_of
from tests.chaos.processes import of_home
from tests.chaos.reference import References
from tests.chaos.watcher import Watcher
from tests.chaos.zygote import use_zygote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.tasks.record import TaskRecord
    from tests.chaos.ground import Ground

_QUEUED = 2
"""Tasks that are under way or wait, while more are to come."""
_VISIT_CHANCE = 0.35
_AFTER_POWER_CUT = 0.15
"""Chance of a visit where nothing runs, and files can be torn."""
_SPARE_CHANCE = 0.3
_DRAWS = 6
"""Were all kinds tried at each moment, those that always fit would crowd out the others."""
_END_SECONDS = 300.0
_DATASET = Path(sample_datasets.__file__).parent / "alpaca_example.json"


@dataclass
class Driver:
    """One run of the harness over one home."""

    ground: Ground
    model: Path
    faults: int
    tasks: int | None
    seconds: float
    kinds: Sequence[str]
    epochs: int | None = None
    gap: float = 0.5
    """Seconds between two faults, on the average."""
    quick: float = 0.8
    """Share of servers whose workers come from the zygote."""
    injected: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._references = References(self.ground, self.ground.folder / "calm")

    def run(self) -> None:
        """Attack, let everything come to its end, and compare."""
        watcher, follower = Watcher(self.ground), Follower(self.ground)
        try:
            self._attack()
            self._settle()
        finally:
            follower.end()
            watcher.end()
            self._leave()
        self.ground.note(f"the store was read {watcher.reads} times")
        for of_the_home in OF_THE_HOME:
            for wrong in of_the_home(self.ground):
                self.ground.violated(wrong)
        for process in of_home(self.ground.home.root):
            process.kill()
        self._compare()

    def _attack(self) -> None:
        """Inject faults until there were enough of them, of tasks or of seconds."""
        deadline = None
        while self.injected.total() < self.faults:
            if not self._queue():
                return
            # The first task's plan starts a server and more: on a busy machine a matter of its own
            deadline = deadline or time.monotonic() + self.seconds
            if time.monotonic() > deadline:
                return
            self._visit()
            time.sleep(self.ground.random.expovariate(1 / self.gap))
            self._inject()
            self.ground.tidy()
            if self.ground.violations:
                return

    def _queue(self) -> bool:
        """See to it that tasks wait; tell whether any is left or will be."""
        ground = self.ground
        self._choose_workers()
        waiting = len(ground.open_tasks())
        if waiting >= _QUEUED or len(ground.tasks) == self.tasks:
            return waiting > 0
        request = request_of(len(ground.tasks), _DATASET, self.model, self.epochs)
        try:
            task = ground.ask(lambda client: client.train(request))
        except LoraDeckError as error:  # the disk is full, or the server was just killed
            ground.note(f"no task could be made: {error}")
            return True
        ground.tasks.append(task.id)
        ground.note(f"task {task.id} made")
        self._references.start(task.id)
        return True

    def _choose_workers(self) -> None:
        """Let servers that are started from now on have workers of this kind or that."""
        use_zygote(used=self.ground.random.random() < self.quick)
        spare = self.ground.random.random() < _SPARE_CHANCE
        os.environ["LORADECK_SPARE_WORKER"] = str(spare).lower()

    def _visit(self) -> None:
        """Come by as a user's client does, which starts a server where none runs."""
        down = self.ground.server() is None and not self.ground.workers()
        if self.ground.random.random() > (_AFTER_POWER_CUT if down else _VISIT_CHANCE):
            return
        with suppress(LoraDeckError):  # the next visit finds what this one missed
            self._look_after(self.ground.ask(lambda client: client.tasks()))

    def _look_after(self, records: list[TaskRecord]) -> None:
        """Have paused and cancelled tasks go on; one that has failed should not have."""
        for record in records:
            cancelled = record.status is Status.CANCELLED
            if record.status is Status.FAILED or (
                cancelled and record.id not in self.ground.cancelled
            ):
                self.ground.violated(f"{record.id} is {record.status}: {record.message}")
            elif cancelled or (record.status is Status.PAUSED and not record.waits_for_disk):
                self.ground.ask(lambda client, task=record.id: client.resume(task))
                self.ground.note(f"{record.id} goes on: {record.message}")

    def _inject(self) -> None:
        """Draw a few kinds until one fits the moment; where none does, it passes quietly."""
        left = {kind: FAULTS[kind].weight for kind in self.kinds}
        for _ in range(min(_DRAWS, len(left))):
            (kind,) = self.ground.random.choices(list(left), list(left.values()))
            del left[kind]
            done = None
            with suppress(OSError):  # the small disk is full: nothing can be damaged now
                done = FAULTS[kind].inject(self.ground)
            if done is not None:
                self.injected[kind] += 1
                self.ground.note(f"{kind}: {done}")
                return

    def _settle(self) -> None:
        """Inject nothing more, and wait until all tasks have ended."""
        ground, deadline = self.ground, time.monotonic() + _END_SECONDS
        ground.tidy(everything=True)
        ground.note("no more faults")
        while not ground.violations:
            with suppress(LoraDeckError):
                records = ground.ask(lambda client: client.tasks())
                self._look_after(records)
                # Cancelled ones were just told to go on
                if all(record.status is Status.COMPLETED for record in records):
                    return
            if time.monotonic() > deadline:
                ground.violated(f"not all tasks ended within {_END_SECONDS:.0f} s")
            time.sleep(0.3)
            ground.tidy()

    def _leave(self) -> None:
        """Close what is open and ask the server to stop."""
        for connection in self.ground.sleepers:
            connection.close()
        self.ground.tidy(everything=True)
        try:
            asyncio.run(stop_server(self.ground.home))
        except LoraDeckError as error:
            self.ground.violated(f"the server did not stop: {error}")

    def _compare(self) -> None:
        """Look at what must hold of each task in the end."""
        ground = self.ground
        for task in ground.tasks:
            calm = self._references.outcome(task)
            for of_a_task in OF_A_TASK:
                for wrong in of_a_task(ground, task, calm):
                    ground.violated(f"{task} {wrong}")
