"""The machine: what computes, and how much memory and room there is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from engine.doctor.check import Check, ok, problem, warning
from engine.plan.cgroups import memory_limits
from engine.plan.hardware import detect
from engine.text import human_bytes, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.home import Home
    from engine.plan.types import Device

_ROOM = 5_000_000_000
"""The demo model with its download, and a run's checkpoints, take a fifth of it."""
_ROOM_FOR_TEMPORARY = 500_000_000
_MEMORY = 4_000_000_000
"""A worker with its imports done takes an eighth of it, the demo model's training half."""
_SHARED = 60_000_000
"""What containers get unless told otherwise is a little more, and suffices."""


def check_machine(home: Home, shared: Path = Path("/dev/shm")) -> Iterator[Check]:  # noqa: S108
    """Look at the machine.

    Args:
        shared: Where shared memory lies; another folder in tests.
    """
    yield _device()
    yield _memory()
    yield from _shared_memory(shared)
    yield from _disk(home)


def _device() -> Check:
    """Name the device that a run would be planned for."""
    devices = detect()
    best = devices[0]
    memory = f"{human_bytes(best.memory_free)} of {human_bytes(best.memory_total)} free"
    others = f"; {len(devices) - 2} more" if len(devices) > 2 else ""
    if best.kind != "cpu":
        return ok("device", f"{best.name}, {memory}{_held(best)}{others}")
    words = f"{best.name}, {best.cores} cores, {memory}; no GPU"
    if best.note:
        hint = "Install the build of torch for your driver: https://pytorch.org/get-started"
        return warning("device", f"{words}. {best.note}", hint)
    return ok("device", words, "Small models train on a CPU.")


def _held(device: Device) -> str:
    """Name the process that holds most of a card's memory, where the driver tells."""
    holder = next((one for one in device.holders if one.memory), None)
    if holder is None:
        return ""
    return f"; {holder.name} (pid {holder.pid}) holds {human_bytes(holder.memory)}"


def _memory() -> Check:
    """Tell how much memory there is, what limits it, and whether there is swap."""
    there, swap = psutil.virtual_memory(), psutil.swap_memory().total
    limit, free = min([*memory_limits(), (there.total, there.available)])
    words = f"{human_bytes(min(free, there.available))} of {human_bytes(limit)} free"
    if limit < there.total:
        words += f": a control group limits it, the machine has {human_bytes(there.total)}"
    words += f"; {human_bytes(swap)} of swap" if swap else "; no swap"
    if limit < _MEMORY:
        hint = "Give it more: docker run --memory, sbatch --mem, or a larger machine."
        return warning("memory", words, hint)
    return ok("memory", words)


def _shared_memory(folder: Path) -> Iterator[Check]:
    """Look at the shared memory, through which processes wait for each other."""
    if not folder.is_dir():
        return  # a system that has another way
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        words = f"{folder} cannot be written: {error.strerror}"
        yield problem("shared memory", words, f"sudo chmod 1777 {folder}")
        return
    size = shutil.disk_usage(folder).total
    if size < _SHARED:
        hint = "docker run --shm-size=1g"
        yield warning("shared memory", f"{folder} has {human_bytes(size)} alone", hint)
    else:
        yield ok("shared memory", human_bytes(size))


def _disk(home: Home) -> Iterator[Check]:
    """Look at the room where models, checkpoints and temporary files go."""
    places = {"disk": (home.root, _ROOM), "cache": (home.cache, _ROOM)}
    places["temporary files"] = Path(tempfile.gettempdir()), _ROOM_FOR_TEMPORARY
    seen: set[int] = set()
    for name, (place, wanted) in places.items():
        folder = next(path for path in (place, *place.parents) if path.exists())
        if (device := folder.stat().st_dev) in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(folder).free
        words = f"{human_bytes(free)} free in {visible(str(place))}"
        if free < wanted:
            yield warning(name, words, f"Free some room first. See: du -xh {folder} | sort -h")
        else:
            yield ok(name, words)
