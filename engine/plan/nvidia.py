"""NVIDIA cards as the driver reports them, without CUDA and without torch."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import psutil

from engine.plan.holders import holders
from engine.plan.types import Device
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
BF16_SINCE = 8
"""Compute capability (major) of the first cards with bfloat16 in hardware: Ampere."""


class Card(Protocol):
    """What ``CUDA_VISIBLE_DEVICES`` may call a card by."""

    @property
    def index(self) -> int: ...
    @property
    def uuid(self) -> str: ...


C = TypeVar("C", bound=Card)


class Nvml(Protocol):
    """The part of pynvml that is used; tests give one of their own."""

    NVMLError: type[Exception]

    def nvmlInit(self) -> None: ...  # noqa: N802
    def nvmlShutdown(self) -> None: ...  # noqa: N802
    def nvmlSystemGetDriverVersion(self) -> str | bytes: ...  # noqa: N802
    def nvmlSystemGetCudaDriverVersion(self) -> int: ...  # noqa: N802
    def nvmlDeviceGetCount(self) -> int: ...  # noqa: N802
    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any: ...  # noqa: N802
    def nvmlDeviceGetName(self, handle: Any) -> str | bytes: ...  # noqa: N802
    def nvmlDeviceGetUUID(self, handle: Any) -> str | bytes: ...  # noqa: N802
    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any: ...  # noqa: N802
    def nvmlDeviceGetCudaComputeCapability(self, handle: Any) -> tuple[int, int]: ...  # noqa: N802
    def nvmlDeviceGetUtilizationRates(self, handle: Any) -> Any: ...  # noqa: N802
    def nvmlDeviceGetTemperature(self, handle: Any, sensor: int) -> int: ...  # noqa: N802
    def nvmlDeviceGetPowerUsage(self, handle: Any) -> int: ...  # noqa: N802
    def nvmlDeviceGetEnforcedPowerLimit(self, handle: Any) -> int: ...  # noqa: N802
    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any) -> list[Any]: ...  # noqa: N802
    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: Any) -> list[Any]: ...  # noqa: N802


def nvidia_devices(nvml: Nvml | None = None) -> list[Device]:
    """List the NVIDIA cards that ``CUDA_VISIBLE_DEVICES`` leaves, in its order.

    Returns:
        None where there is no driver or no card. ``memory_free`` is of this moment, whoever
        holds the rest.
    """
    return allowed(ask(nvml, _cards, []), os.environ.get("CUDA_VISIBLE_DEVICES"))


def driver_versions(nvml: Nvml | None = None) -> tuple[str, tuple[int, int]] | None:
    """Give the driver's version and the newest CUDA that it knows; ``None`` without a driver."""
    return ask(nvml, _versions, None)


def ask(nvml: Nvml | None, question: Callable[[Nvml], T], without: T) -> T:
    """Ask the driver something.

    Args:
        nvml: The driver; ``None`` for this machine's.
        without: The answer where there is no driver, or one that does not answer.
    """
    nvml = nvml or _pynvml()
    if nvml is None:
        return without
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return without
    try:
        return question(nvml)
    except nvml.NVMLError:
        return without
    finally:
        with suppress(nvml.NVMLError):
            nvml.nvmlShutdown()


def _cards(nvml: Nvml) -> list[Device]:
    """Read all cards."""
    count = nvml.nvmlDeviceGetCount()
    return [card for index in range(count) if (card := _card(nvml, index))]


def _versions(nvml: Nvml) -> tuple[str, tuple[int, int]]:
    """Read the versions of driver and CUDA."""
    cuda = nvml.nvmlSystemGetCudaDriverVersion()
    return text(nvml.nvmlSystemGetDriverVersion()), (cuda // 1000, cuda % 1000 // 10)


def _pynvml() -> Nvml | None:
    """Import pynvml, which needs no driver to be imported."""
    try:
        import pynvml
    except ImportError:
        return None
    module: Nvml = pynvml
    return module


def _card(nvml: Nvml, index: int) -> Device | None:
    """Read one card; ``None`` where it has fallen off the bus or is not ours to use."""
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        total, free = _memory(nvml, handle)
        major, minor = nvml.nvmlDeviceGetCudaComputeCapability(handle)
        return Device(
            kind="cuda",
            name=visible(text(nvml.nvmlDeviceGetName(handle))),
            index=index,
            memory_total=total,
            memory_free=free,
            bf16=major >= BF16_SINCE,
            uuid=text(nvml.nvmlDeviceGetUUID(handle)),
            capability=(major, minor),
            holders=holders(nvml, handle),
        )
    except nvml.NVMLError:
        return None


def _memory(nvml: Nvml, handle: Any) -> tuple[int, int]:
    """Read total and free bytes; a chip that shares the machine's memory reports none."""
    try:
        info = nvml.nvmlDeviceGetMemoryInfo(handle)
    except nvml.NVMLError:
        machine = psutil.virtual_memory()
        return machine.total, machine.available
    return int(info.total), int(info.free)


def text(value: str | bytes) -> str:
    """Decode what older versions of pynvml give as bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def allowed(cards: list[C], visible_devices: str | None) -> list[C]:
    """Keep the cards named, in their order; CUDA stops at the first name that it cannot find."""
    if visible_devices is None:
        return cards
    kept: list[C] = []
    for entry in visible_devices.split(","):
        card = next((card for card in cards if _is_named(card, entry.strip())), None)
        if card is None or card in kept:
            break
        kept.append(card)
    return kept


def _is_named(card: Card, entry: str) -> bool:
    """Tell whether an entry is a card's index, or the beginning of its UUID."""
    return entry == str(card.index) or (entry.startswith("GPU-") and card.uuid.startswith(entry))
