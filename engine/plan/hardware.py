"""The devices a run can compute on. Loads no torch: the engine server asks."""

from __future__ import annotations

import platform
from importlib import metadata

import psutil

from engine.language import listed, mark, tr
from engine.plan.amd import amd_devices
from engine.plan.nvidia import nvidia_devices
from engine.plan.processor import processor, usable_cores
from engine.plan.types import Device
from engine.text import human_bytes

_MAC_WITH_BF16 = 14
"""Metal computes in bfloat16 from this macOS on (torch.backends.mps)."""
_UNUSED = {
    "cpu": mark("{name} is not used: the installed torch is a build for CPUs only."),
    "rocm": mark("{name} is not used: the installed torch is a build for AMD cards."),
    "cuda": mark("{name} is not used: the installed torch is a build for NVIDIA cards."),
}


def detect() -> list[Device]:
    """List the devices of this machine, the best one first and the CPU last.

    Memory is what is free at this moment. Cards with the most free memory come first; those
    that the installed torch cannot use are left out, and the CPU's note says so.
    """
    build = _torch_build()
    nvidia, amd = nvidia_devices(), amd_devices()
    usable = {"cpu": [], "rocm": amd}.get(build, nvidia)
    cards = sorted(usable, key=lambda card: card.memory_free, reverse=True)
    if len(cards) > 1:
        cards[0] = cards[0].model_copy(update={"note": _preferred(cards)})
    others = [] if cards else [*nvidia, *amd]
    note = tr(_UNUSED[build], name=others[0].name) if others else ""
    return [*cards, *_apple(), processor(note)]


def best_device() -> Device:
    """Give the device that a run is planned for."""
    return detect()[0]


def _torch_build() -> str:
    """Tell a build of torch by its version, without the import's seconds and memory."""
    try:
        local = metadata.version("torch").partition("+")[2]
    except metadata.PackageNotFoundError:
        return "cuda"
    return next((build for build in ("cpu", "rocm") if local.startswith(build)), "cuda")


def _preferred(cards: list[Device]) -> str:
    """Say which of several cards is taken, why, and which are not."""
    best, *others = cards
    free = tr(
        "{name} (card {index}) has the most memory free of {cards} cards.",
        name=best.name,
        index=best.index,
        cards=len(cards),
    )
    named = (
        tr(
            "{name} (card {index}, {free} free)",
            name=card.name,
            index=card.index,
            free=human_bytes(card.memory_free),
        )
        for card in others
    )
    return f"{free} {tr('Not taken: {cards}.', cards=listed(named))}"


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
            cores=usable_cores(),
            memory_total=memory.total,
            memory_free=memory.available,
            bf16=release.isdigit() and int(release) >= _MAC_WITH_BF16,
        )
    ]
