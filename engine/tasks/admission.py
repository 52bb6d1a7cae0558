"""Whether a pending task has room now: memory on a device, and room on the disk."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import psutil

from engine.plan.device_names import device_name
from engine.plan.disk import checkpoint_size
from engine.plan.hardware import detect
from engine.plan.types import PLAN, Plan
from engine.tasks.waiting import for_device, for_memory
from engine.text import human_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence
    from pathlib import Path

    from engine.plan.types import Device
    from engine.settings import Settings


@dataclass(frozen=True)
class Occupant:
    """A task that runs: where, how much its plan predicts, and what its worker holds by now."""

    plan: Plan
    pid: int | None
    """Of its worker; ``None`` until it has taken the task up."""

    def to_come(self, device: Device) -> int:
        """Give the bytes that it is still to take beyond what the device shows as taken."""
        return max(0, self.plan.memory.total - held(self.pid, device))


def held(pid: int | None, device: Device) -> int:
    """Give the bytes that a process holds of a device; 0 where nobody tells.

    A driver that does not tell makes the answer cautious: what is held counts twice.
    """
    if pid is None:
        return 0
    if device.kind == "cuda":
        return sum(one.memory for one in device.holders if one.pid == pid)
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def same(one: Device, other: Device) -> bool:
    """Tell whether two looks at devices are at the same one."""
    return (one.kind, one.uuid) == (other.kind, other.uuid)


def load_plan(folder: Path) -> Plan:
    """Read a task folder's plan; a queue is looked through every few seconds, so it is kept.

    Raises:
        OSError: There is none, or it cannot be read.
        ValueError: It is damaged.
    """
    return _load(folder, (folder / PLAN).stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _load(folder: Path, _changed: int) -> Plan:
    """Read a plan as it is since it was changed last."""
    return Plan.load(folder)


class Place(NamedTuple):
    """Where a plan can be carried out."""

    kind: str
    name: str
    uuid: str = ""
    """Of the very card; empty for any one of the kind and name."""

    @classmethod
    def of(cls, device: Device) -> Place:
        """Give a device's own place."""
        return cls(device.kind, device.name, device.uuid)

    @classmethod
    def wanted(cls, plan: Plan) -> Place:
        """Give the place of a plan: any device like its own, unless the user chose that one."""
        own = cls.of(plan.device)
        return own if plan.device.chosen else own.alike

    @property
    def alike(self) -> Place:
        """The place of all devices like this one."""
        return self._replace(uuid="")

    def among(self, places: Container[Place]) -> bool:
        """Tell whether it is one of these places, or in one."""
        return self in places or self.alike in places


class Admission:
    """Finds room for tasks.

    Args:
        folder: On the disk that tasks write to.
        devices: Gives the machine's devices as they are now.
    """

    def __init__(
        self, settings: Settings, folder: Path, devices: Callable[[], Sequence[Device]] = detect
    ) -> None:
        self._settings, self._folder, self._devices = settings, folder, devices

    def device_for(
        self,
        plan: Plan,
        running: Sequence[Occupant],
        *,
        spare: int | None,
        crowd: bool = False,
        kept: Container[Place] = (),
        besides: Callable[[Device], int] = lambda _: 0,
    ) -> Device | None:
        """Give a device on which a plan's predicted memory is free; ``None`` where none is.

        The planned one goes before others of its kind and name; a chosen one has no others.

        Args:
            running: All tasks that run.
            spare: The pid of the worker that would take the task; what it holds is the task's.
            crowd: Whether more tasks than the settings want may share a device.
            kept: Places that are kept for tasks before this one.
            besides: Gives the bytes that are free of a device beyond what it shows; or fewer.
        """
        candidates = _left(self._suitable(plan), kept)
        candidates.sort(key=lambda one: not same(one, plan.device))
        for device in candidates:
            there = [one for one in running if same(one.plan.device, device)]
            if not crowd and len(there) >= self._most(device):
                continue
            free = free_beside(device, there) + held(spare, device) + besides(device)
            if plan.memory.total <= free:
                return device
        return None

    def obstacle(self, plan: Plan, kept: Container[Place] = ()) -> str:
        """Say for what a plan waits that finds no room, though none of ours is there.

        Empty where it waits for those before it, for whom all places of its kind are kept.
        """
        name = device_name(plan.device) if plan.device.chosen else plan.device.name
        if not (suitable := self._suitable(plan)):
            return for_device(name)
        return for_memory(human_bytes(plan.memory.total), name) if _left(suitable, kept) else ""

    def _suitable(self, plan: Plan) -> list[Device]:
        """List the devices of this moment that a plan can be carried out on."""
        return [one for one in self._devices() if suits(one, plan)]

    def _most(self, device: Device) -> int:
        """Say how many tasks may share a device."""
        is_cpu = device.kind == "cpu"
        return self._settings.tasks_per_cpu if is_cpu else self._settings.tasks_per_gpu

    def has_disk(self, plan: Plan) -> bool:
        """Tell whether the disk holds what a run writes beside what stays free.

        Two checkpoints, the adapter and the encoded rows, which may lie there already.
        """
        parts = plan.disk_parts
        needed = 2 * checkpoint_size(plan) + parts.get("adapter", 0) + parts.get("cache", 0)
        return self.disk_free >= self.reserve + needed

    @property
    def reserve(self) -> int:
        """Bytes that no task takes."""
        return int(self._settings.disk_reserve_mb * 1e6)

    @property
    def disk_free(self) -> int:
        """Bytes that are free."""
        return shutil.disk_usage(self._folder).free


def free_beside(device: Device, running: Iterable[Occupant]) -> int:
    """Give the bytes that are free once all that run there hold what they were planned for."""
    return device.memory_free - sum(one.to_come(device) for one in running)


def _left(devices: Iterable[Device], kept: Container[Place]) -> list[Device]:
    """List the devices that are not kept for others."""
    return [one for one in devices if not Place.of(one).among(kept)]


def suits(device: Device, plan: Plan) -> bool:
    """Tell whether a plan made for one device can be carried out on another."""
    return Place.of(device).among({Place.wanted(plan)})
