"""The machine: what computes, and how much memory and room there is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from engine.doctor.check import Check, ok, problem, warning
from engine.doctor.installation import BUILDS
from engine.language import mark, tr
from engine.plan.cgroups import memory_limits
from engine.plan.hardware import detect
from engine.text import human_bytes, human_free, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.home import Home
    from engine.plan.types import Device

_DEVICE, _MEMORY_NAME, _SHARED_NAME = mark("device"), mark("memory"), mark("shared memory")
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
    told = {
        "name": best.name,
        "cores": best.cores,
        "memory": human_free(best.memory_free, best.memory_total),
    }
    if best.kind != "cpu":
        others = [tr("{count} more", count=len(devices) - 2)] if len(devices) > 2 else []
        return ok(_DEVICE, "; ".join([tr("{name}, {memory}", **told), *_held(best), *others]))
    words = tr("{name}, {cores} cores, {memory}; no GPU", **told)
    if best.note:
        return warning(_DEVICE, tr("{words}. {note}", words=words, note=best.note), tr(BUILDS))
    return ok(_DEVICE, words, tr("Small models train on a CPU."))


def _held(device: Device) -> Iterator[str]:
    """Name the process that holds most of a card's memory, where the driver tells."""
    holder = next((one for one in device.holders if one.memory), None)
    if holder is not None:
        yield tr(
            "{name} (pid {pid}) holds {memory}",
            name=holder.name,
            pid=holder.pid,
            memory=human_bytes(holder.memory),
        )


def _memory() -> Check:
    """Tell how much memory there is, what limits it, and whether there is swap."""
    there, swap = psutil.virtual_memory(), psutil.swap_memory().total
    limit, free = min([*memory_limits(), (there.total, there.available)])
    free = min(free, there.available)
    words = human_free(free, limit)
    if limit < there.total:
        words = tr(
            "{free} of {total} free: a control group limits it, the machine has {there}",
            free=human_bytes(free),
            total=human_bytes(limit),
            there=human_bytes(there.total),
        )
    words += "; " + (tr("{size} of swap", size=human_bytes(swap)) if swap else tr("no swap"))
    if limit < _MEMORY:
        hint = tr("Give it more: docker run --memory, sbatch --mem, or a larger machine.")
        return warning(_MEMORY_NAME, words, hint)
    return ok(_MEMORY_NAME, words)


def _shared_memory(folder: Path) -> Iterator[Check]:
    """Look at the shared memory, through which processes wait for each other."""
    if not folder.is_dir():
        return  # a system that has another way
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        words = tr("{path} cannot be written: {why}", path=folder, why=error.strerror)
        yield problem(_SHARED_NAME, words, f"sudo chmod 1777 {folder}")
        return
    size = shutil.disk_usage(folder).total
    if size < _SHARED:
        hint = "docker run --shm-size=1g"
        words = tr("{path} has {size} alone", path=folder, size=human_bytes(size))
        yield warning(_SHARED_NAME, words, hint)
    else:
        yield ok(_SHARED_NAME, human_bytes(size))


def _disk(home: Home) -> Iterator[Check]:
    """Look at the room where models, checkpoints and temporary files go."""
    places = {mark("disk"): (home.root, _ROOM), mark("cache"): (home.cache, _ROOM)}
    places[mark("temporary files")] = Path(tempfile.gettempdir()), _ROOM_FOR_TEMPORARY
    seen: set[int] = set()
    for name, (place, wanted) in places.items():
        folder = next(path for path in (place, *place.parents) if path.exists())
        if (device := folder.stat().st_dev) in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(folder).free
        words = tr("{size} free in {path}", size=human_bytes(free), path=visible(str(place)))
        if free < wanted:
            hint = tr("Free some room first. See: du -xh {path} | sort -h", path=folder)
            yield warning(name, words, hint)
        else:
            yield ok(name, words)
