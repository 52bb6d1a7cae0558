"""The devices a run can compute on. Loads no torch: the engine server asks."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

import psutil

from engine.plan.cgroups import memory_limits, processor_limit
from engine.plan.nvidia import nvidia_devices
from engine.plan.types import Device
from engine.text import visible

_MAC_WITH_BF16 = 14
"""Metal computes in bfloat16 from this macOS on (torch.backends.mps)."""
_BF16_FLAG = "amx_bf16"
"""AVX512 computes in bfloat16 too, but four times slower than in fp32 (measured, NF4 base)."""


def detect() -> list[Device]:
    """List the devices of this machine, the best one first and the CPU last.

    Memory is what is free at this moment. NVIDIA cards with the most free memory come first;
    they are left out where the installed torch cannot use them, and the CPU's note says so.
    """
    cards = sorted(nvidia_devices(), key=lambda card: card.memory_free, reverse=True)
    note = ""
    if cards and _torch_is_for_cpu():
        note = f"{cards[0].name} is not used: the installed torch is a build for CPUs only."
        cards = []
    return [*cards, *_apple(), _processor(note)]


def best_device() -> Device:
    """Give the device that a run is planned for."""
    return detect()[0]


def _torch_is_for_cpu() -> bool:
    """Tell a CPU build of torch by its version, without the import's seconds and memory."""
    try:
        return metadata.version("torch").endswith("+cpu")
    except metadata.PackageNotFoundError:
        return False


def _apple() -> list[Device]:
    """Give the GPU of an Apple chip, which shares the machine's memory."""
    if platform.system() != "Darwin" or platform.machine() != "arm64":
        return []
    release = platform.mac_ver()[0].partition(".")[0]
    memory = psutil.virtual_memory()
    return [
        Device(
            kind="mps",
            name="Apple GPU",
            cores=_cores(None),
            memory_total=memory.total,
            memory_free=memory.available,
            bf16=release.isdigit() and int(release) >= _MAC_WITH_BF16,
        )
    ]


def _processor(note: str = "", system: Path = Path("/")) -> Device:
    """Give the CPU with what the process may use of it."""
    name, flags = _cpuinfo(system / "proc/cpuinfo")
    memory = psutil.virtual_memory()
    limits = memory_limits(system)
    return Device(
        kind="cpu",
        name=name or platform.processor() or platform.machine() or "CPU",
        cores=_cores(processor_limit(system)),
        memory_total=min([memory.total, *(total for total, _ in limits)]),
        memory_free=min([memory.available, *(free for _, free in limits)]),
        bf16=_BF16_FLAG in flags,
        note=note,
    )


def _cores(limit: float | None) -> int:
    """Count the cores this process may use: half a core more than one is one."""
    allowed = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    return max(1, int(min(allowed, limit if limit is not None else allowed)))


def _cpuinfo(path: Path) -> tuple[str, frozenset[str]]:
    """Read the processor's name and abilities; Linux only."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "", frozenset()
    fields = [line.partition(":") for line in lines]
    values = {key.strip(): value.strip() for key, _, value in reversed(fields)}
    return visible(values.get("model name", "")), frozenset(values.get("flags", "").split())
