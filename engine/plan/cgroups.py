"""What the kernel's control groups leave of a machine: containers and batch systems set them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class MemoryFiles:
    """The names under which one version of the kernel's interface keeps memory numbers."""

    limit: str
    used: str
    cache: str
    """The line of ``memory.stat`` with file cache that is given back when memory runs short."""


_V2 = MemoryFiles("memory.max", "memory.current", "inactive_file")
_V1 = MemoryFiles("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def memory_limits(system: Path = Path("/")) -> list[tuple[int, int]]:
    """Read each limit that applies to this process, as total and free bytes.

    Args:
        system: Where the file system begins; another folder in tests.
    """
    limits = (
        _memory(folder, _V1 if controller else _V2)
        for controller, folder in _folders(system, "memory")
    )
    return [limit for limit in limits if limit]


def out_of_memory_kills(system: Path = Path("/")) -> int:
    """Count the processes that the kernel has killed for lack of memory in this process's groups.

    Args:
        system: Where the file system begins; another folder in tests.
    """
    return max((_kills(folder) for _, folder in _folders(system, "memory")), default=0)


def _kills(folder: Path) -> int:
    """Read one group's count, under the name of either version."""
    for name in ("memory.events", "memory.oom_control"):
        for line in _read(folder / name).splitlines():
            key, _, value = line.partition(" ")
            if key == "oom_kill" and value.isdigit():
                return int(value)
    return 0


def processor_limit(system: Path = Path("/")) -> float | None:
    """Read how many processors' worth of time this process may use; ``None`` for all.

    Args:
        system: Where the file system begins; another folder in tests.
    """
    quotas = (
        _quota_v1(folder) if controller else _quota_v2(folder)
        for controller, folder in _folders(system, "cpu")
    )
    return min((quota for quota in quotas if quota), default=None)


def _folders(system: Path, controller: str) -> Iterator[tuple[str, Path]]:
    """Give the folders of this process's group and all above it: each may limit.

    The controller is empty for version 2. Inside a container the group's own path often does
    not exist, as its root is what is mounted: folders without files give no limit.
    """
    for line in _read(system / "proc/self/cgroup").splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = system / "sys/fs/cgroup" / (controller if controllers else "")
        folder = root / group.strip("/")
        yield controller if controllers else "", root
        while folder != root and root in folder.parents:
            yield controller if controllers else "", folder
            folder = folder.parent


def _memory(folder: Path, names: MemoryFiles) -> tuple[int, int] | None:
    """Read one group's limit; file cache counts as free, as it is given back."""
    limit, used = _number(folder / names.limit), _number(folder / names.used)
    if limit is None or used is None:
        return None
    cache = 0
    for line in _read(folder / "memory.stat").splitlines():
        key, _, value = line.partition(" ")
        if key == names.cache and value.isdigit():
            cache = int(value)
    return limit, max(0, limit - used + cache)


def _quota_v2(folder: Path) -> float | None:
    """Read ``cpu.max``: microseconds (or ``max``) of each period."""
    quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _quota_v1(folder: Path) -> float | None:
    """Read the two files of version 1; a quota of -1 is none."""
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return quota / period if quota and period else None


def _number(path: Path) -> int | None:
    """Read a file with one number that is not negative; ``None`` for anything else."""
    text = _read(path).strip()
    return int(text) if text.isdigit() else None


def _read(path: Path) -> str:
    """Read a small file; empty where there is none or it may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
