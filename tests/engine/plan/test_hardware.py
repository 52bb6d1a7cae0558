"""Which device is taken, and what a CPU and its control groups leave."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from engine.plan import hardware
from engine.plan.cgroups import memory_limits, processor_limit
from tests.engine.plan.make import CARD, GB

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from a machine with 16 GB, four cores, a CUDA build of torch and no card."""
    memory = SimpleNamespace(total=16 * GB, available=12 * GB)
    monkeypatch.setattr(hardware.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(hardware.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(hardware, "nvidia_devices", list)
    monkeypatch.setattr(hardware.metadata, "version", lambda _: "2.13.0")
    monkeypatch.setattr(hardware.platform, "system", lambda: "Linux")


def system(root: Path, files: dict[str, str]) -> Path:
    """Write files below a folder that stands for the file system."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


V2 = {
    "proc/self/cgroup": "0::/user/job\n",
    "sys/fs/cgroup/user/memory.max": f"{8 * GB}\n",
    "sys/fs/cgroup/user/memory.current": f"{6 * GB}\n",
    "sys/fs/cgroup/user/memory.stat": f"anon 1\ninactive_file {GB}\n",
    "sys/fs/cgroup/user/job/memory.max": "max\n",
    "sys/fs/cgroup/user/job/memory.current": "5\n",
    "sys/fs/cgroup/user/job/cpu.max": "250000 100000\n",
    "sys/fs/cgroup/user/cpu.max": "max 100000\n",
}
V1 = {
    "proc/self/cgroup": "4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n0::/\n",
    # Inside a container its own group is mounted as the root: /docker/abc does not exist.
    "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{8 * GB}\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{6 * GB}\n",
    "sys/fs/cgroup/memory/memory.stat": f"total_inactive_file {GB}\n",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "250000\n",
    "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
}


@pytest.mark.parametrize("files", [V2, V1], ids=["v2", "v1"])
def test_control_groups_limit_memory_and_cores(files: dict[str, str], tmp_path: Path) -> None:
    root = system(tmp_path, files)
    assert memory_limits(root) == [(8 * GB, 3 * GB)]
    assert processor_limit(root) == 2.5
    device = hardware._processor(system=root)
    assert (device.memory_total, device.memory_free, device.cores) == (8 * GB, 3 * GB, 2)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/self/cgroup": "0::/\n"},
        {**V1, "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n"},
    ],
)
def test_without_a_quota_all_cores_are_used(files: dict[str, str], tmp_path: Path) -> None:
    assert processor_limit(system(tmp_path, files)) is None
    assert hardware._processor(system=tmp_path).cores == 4


def test_the_processors_name_and_abilities_are_read(tmp_path: Path) -> None:
    cpuinfo = "model name\t: Xeon 6\nflags\t\t: sse amx_bf16\n\nmodel name\t: other\n"
    device = hardware._processor(system=system(tmp_path, {"proc/cpuinfo": cpuinfo}))
    assert (device.kind, device.name, device.bf16) == ("cpu", "Xeon 6", True)


def test_the_card_with_the_most_free_memory_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    full = CARD.model_copy(update={"memory_free": 1, "index": 0})
    empty = CARD.model_copy(update={"index": 1})
    monkeypatch.setattr(hardware, "nvidia_devices", lambda: [full, empty])
    assert hardware.best_device() == empty
    assert [device.kind for device in hardware.detect()] == ["cuda", "cuda", "cpu"]


def test_a_card_that_torch_cannot_use_is_named_in_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "nvidia_devices", lambda: [CARD])
    monkeypatch.setattr(hardware.metadata, "version", lambda _: "2.13.0+cpu")
    device = hardware.best_device()
    assert device.kind == "cpu"
    assert device.note.startswith("RTX 4090 is not used")


@pytest.mark.parametrize(("release", "bf16"), [("15.1", True), ("13.6", False)])
def test_an_apple_chip(release: str, bf16: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(hardware.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(hardware.platform, "mac_ver", lambda: (release, ("", "", ""), ""))
    device = hardware.best_device()
    assert (device.kind, device.memory_free, device.bf16) == ("mps", 12 * GB, bf16)
