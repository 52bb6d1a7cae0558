"""Who holds an NVIDIA card's memory, as far as the driver tells."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psutil

from engine.language import tr
from engine.plan.types import Holder
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.plan.nvidia import Nvml


def holders(nvml: Nvml, handle: Any) -> tuple[Holder, ...]:
    """List the processes that hold memory of a card, the largest first.

    A driver that tells nothing (inside a container, on Windows, by policy) gives none: what is
    free is known without it.
    """
    held = memory_by_process(nvml, handle)
    found = [Holder(pid=pid, name=_name(pid), memory=used) for pid, used in held.items()]
    return tuple(sorted(found, key=lambda one: (-one.memory, one.pid)))


def memory_by_process(nvml: Nvml, handle: Any) -> dict[int, int]:
    """Give the bytes of a card's memory that each process holds; 0 where the driver hides them."""
    held: dict[int, int] = {}
    for process in _processes(nvml, handle):
        used = process.usedGpuMemory or 0
        held[process.pid] = max(held.get(process.pid, 0), used)
    return held


def _processes(nvml: Nvml, handle: Any) -> Iterator[Any]:
    """Give what computes on the card, then what draws with it; a process may do both."""
    for ask in (
        nvml.nvmlDeviceGetComputeRunningProcesses,
        nvml.nvmlDeviceGetGraphicsRunningProcesses,
    ):
        with suppress(nvml.NVMLError):
            yield from ask(handle)


def _name(pid: int) -> str:
    """Name a process; it may have ended, or live in another container."""
    try:
        return visible(psutil.Process(pid).name())
    except psutil.Error:
        return tr("unknown process")
