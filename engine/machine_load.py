"""How busy the machine is: processor, memory, cards, workers; looked at when someone asks."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import psutil
from pydantic import BaseModel, ConfigDict

from engine.card_load import CardLoad, card_loads
from engine.plan.processor import machine_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.card_load import Looked

_FRESH_SECONDS = 1.0
_LONGEST_SECONDS = 30.0
"""What the processor did on average over a longer time says nothing about now."""


class WorkerLoad(BaseModel):
    """What a task's worker holds, in bytes."""

    model_config = ConfigDict(frozen=True)

    memory: int
    """Of the machine's memory, resident."""
    cards: int | None = None
    """Of all cards; ``None`` where no driver tells."""


class MachineLoad(BaseModel):
    """What the machine does at a moment."""

    model_config = ConfigDict(frozen=True)

    cpu: float | None = None
    """Per cent of the cores that the engine may use, since the look before; ``None`` at first."""
    memory_used: int
    memory_total: int
    """Bytes, of the machine or its control group."""
    cards: tuple[CardLoad, ...] = ()
    workers: dict[str, WorkerLoad] = {}
    """By the id of the task."""


class MachineWatch:
    """Tells all who ask the same, and looks at most once a second; never by itself.

    Args:
        workers: Gives the pids of the workers by their tasks' ids.
    """

    def __init__(
        self,
        workers: Callable[[], Mapping[str, int]],
        cards: Callable[[], list[Looked]] = card_loads,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workers, self._cards, self._clock = workers, cards, clock
        self._lock = asyncio.Lock()
        self._looked: tuple[float, MachineLoad] | None = None
        self._times: tuple[float, float, float] | None = None

    async def load(self) -> MachineLoad:
        """Tell what the machine does now."""
        async with self._lock:
            if self._looked is None or self._clock() - self._looked[0] >= _FRESH_SECONDS:
                pids = dict(self._workers())
                self._looked = self._clock(), await asyncio.to_thread(self._look, pids)
            return self._looked[1]

    def _look(self, pids: Mapping[str, int]) -> MachineLoad:
        """Look at everything once."""
        total, free = machine_memory()
        looked = self._cards()
        workers = {}
        for task_id, pid in pids.items():
            try:
                memory = int(psutil.Process(pid).memory_info().rss)
            except psutil.Error:
                continue  # it has just ended
            held = [one.held[pid] for one in looked if one.held.get(pid)]
            workers[task_id] = WorkerLoad(memory=memory, cards=sum(held) if held else None)
        return MachineLoad(
            cpu=self._processor(),
            memory_used=max(0, total - free),
            memory_total=total,
            cards=tuple(one.card for one in looked),
            workers=workers,
        )

    def _processor(self) -> float | None:
        """Give the share of the processor's time that was used since the look before."""
        before, (at, busy, whole) = self._times, self._measured()
        self._times = at, busy, whole
        if before is None or at - before[0] > _LONGEST_SECONDS or whole <= before[2]:
            return None
        return max(0.0, min(100.0 * (busy - before[1]) / (whole - before[2]), 100.0))

    def _measured(self) -> tuple[float, float, float]:
        """Read the clock, and the busy and all seconds of the cores that may be used."""
        cores = psutil.cpu_times(percpu=True)
        if hasattr(os, "sched_getaffinity"):
            allowed = os.sched_getaffinity(0)
            cores = [one for index, one in enumerate(cores) if index in allowed] or cores
        # Linux counts a guest's time as the user's too
        whole = sum(sum(one) - getattr(one, "guest", 0) for one in cores)
        idle = sum(one.idle + getattr(one, "iowait", 0) for one in cores)
        return self._clock(), whole - idle, whole
