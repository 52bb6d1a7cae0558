"""NVIDIA cards, from a driver that is not there."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from engine.plan.nvidia import driver_versions, nvidia_devices


class FakeNvmlError(Exception):
    """What the driver raises."""


@dataclass
class FakeNvml:
    """A driver with as many cards as are given, by name, capability and free memory."""

    cards: list[tuple[str, int, int]] = field(default_factory=list)
    without_driver: bool = False
    lost: int = -1
    open: bool = False
    computing: list[tuple[int, int | None]] = field(default_factory=list)
    drawing: list[tuple[int, int | None]] = field(default_factory=list)
    silent: bool = False
    NVMLError: type[Exception] = FakeNvmlError

    def nvmlInit(self) -> None:  # noqa: N802
        if self.without_driver:
            raise FakeNvmlError
        self.open = True

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.open = False

    def nvmlSystemGetDriverVersion(self) -> bytes:  # noqa: N802
        if self.silent:
            raise FakeNvmlError
        return b"535.183.01"

    def nvmlSystemGetCudaDriverVersion(self) -> int:  # noqa: N802
        return 12020

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        if index == self.lost:
            raise FakeNvmlError
        return index

    def nvmlDeviceGetName(self, handle: int) -> bytes:  # noqa: N802
        return self.cards[handle][0].encode()

    def nvmlDeviceGetUUID(self, handle: int) -> str:  # noqa: N802
        return f"GPU-{handle}aaa-bbb"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        free = self.cards[handle][2]
        if free < 0:
            raise FakeNvmlError
        return SimpleNamespace(total=24, free=free, used=24 - free)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:  # noqa: N802
        return SimpleNamespace(gpu=90 - handle, memory=7)

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:  # noqa: N802
        return 60 + handle + sensor

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:  # noqa: N802
        if self.silent:
            raise FakeNvmlError
        return 251_500

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: int) -> int:  # noqa: N802
        return 450_000

    def nvmlDeviceGetCudaComputeCapability(self, handle: int) -> tuple[int, int]:  # noqa: N802
        return self.cards[handle][1], 6

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[Any]:  # noqa: N802
        if self.silent:
            raise FakeNvmlError
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in self.computing]

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: int) -> list[Any]:  # noqa: N802
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in self.drawing]


@pytest.fixture(autouse=True)
def _all_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no setting of this machine hide a card."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def two() -> FakeNvml:
    """A new card and an old one."""
    return FakeNvml([("RTX 4090", 8, 20), ("Tesla T4", 7, 15)])


def test_cards_are_read() -> None:
    driver = two()
    new, old = nvidia_devices(driver)
    assert (new.name, new.memory_free, new.memory_total, new.bf16) == ("RTX 4090", 20, 24, True)
    assert (old.index, old.uuid, old.bf16) == (1, "GPU-1aaa-bbb", False)
    assert (new.capability, old.capability) == ((8, 6), (7, 6))
    assert not driver.open


def test_who_holds_the_memory_is_told_the_largest_first() -> None:
    driver = two()
    driver.computing = [(os.getpid(), 9), (4_000_000_001, 11), (4_000_000_002, None)]
    driver.drawing = [(os.getpid(), 3)]
    told = [(one.pid, one.memory) for one in nvidia_devices(driver)[0].holders]
    assert told == [(4_000_000_001, 11), (os.getpid(), 9), (4_000_000_002, 0)]
    names = [one.name for one in nvidia_devices(driver)[0].holders]
    assert names == ["unknown process", psutil.Process().name(), "unknown process"]


def test_a_driver_that_does_not_tell_who_holds_memory_is_no_fault() -> None:
    driver = two()
    driver.silent = True
    assert [card.holders for card in nvidia_devices(driver)] == [(), ()]


@pytest.mark.parametrize("driver", [FakeNvml(without_driver=True), FakeNvml()])
def test_without_a_driver_or_a_card_there_is_none(driver: FakeNvml) -> None:
    assert nvidia_devices(driver) == []


def test_a_lost_card_is_left_out() -> None:
    driver = two()
    driver.lost = 0
    assert [card.name for card in nvidia_devices(driver)] == ["Tesla T4"]


def test_a_chip_that_shares_the_machines_memory_has_that() -> None:
    (card,) = nvidia_devices(FakeNvml([("GB10", 12, -1)]))
    assert card.memory_total > 24


@pytest.mark.parametrize(
    ("setting", "indices"),
    [
        ("0,1", [0, 1]),
        ("1, 0", [1, 0]),
        ("1", [1]),
        ("GPU-1aaa", [1]),
        ("", []),
        ("-1", []),
        ("0,-1,1", [0]),
        ("7", []),
        ("0,0", [0]),
    ],
)
def test_cuda_visible_devices_is_honoured(
    setting: str, indices: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
    assert [card.index for card in nvidia_devices(two())] == indices


def test_versions_of_the_driver() -> None:
    driver = FakeNvml()
    assert driver_versions(driver) == ("535.183.01", (12, 2))
    assert not driver.open
    assert driver_versions(FakeNvml(without_driver=True)) is None
    assert driver_versions(FakeNvml(silent=True)) is None
