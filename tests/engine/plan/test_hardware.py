"""Which device is taken, and what a CPU and its control groups leave."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from engine.plan import hardware, processor
from engine.plan.amd import amd_devices
from engine.plan.cgroups import memory_limits, processor_limit
from tests.engine.plan.make import CARD, GB

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from a machine with 16 GB, four cores, a CUDA build of torch and no card."""
    memory = SimpleNamespace(total=16 * GB, available=12 * GB)
    monkeypatch.setattr(hardware.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(processor.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(hardware, "nvidia_devices", list)
    monkeypatch.setattr(hardware, "amd_devices", list)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("HIP_VISIBLE_DEVICES", raising=False)
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
    device = processor.processor(system=root)
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
    assert processor.processor(system=tmp_path).cores == 4


@pytest.mark.parametrize(
    ("flags", "features", "bf16"),
    [
        ("sse", (), False),
        ("sse avx2 avx512f", ("avx2", "avx512"), False),
        ("avx512f avx2 avx512_bf16", ("avx2", "avx512", "avx512_bf16"), True),
        ("amx_bf16", ("amx_bf16",), True),
    ],
)
def test_the_processors_name_and_abilities_are_read(
    flags: str, features: tuple[str, ...], bf16: bool, tmp_path: Path
) -> None:
    cpuinfo = f"model name\t: Xeon 6\nflags\t\t: {flags}\n\nmodel name\t: other\n"
    device = processor.processor(system=system(tmp_path, {"proc/cpuinfo": cpuinfo}))
    assert (device.kind, device.name) == ("cpu", "Xeon 6")
    assert (device.features, device.bf16) == (features, bf16)


def test_the_card_with_the_most_free_memory_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    full = CARD.model_copy(update={"memory_free": 2 * 10**9, "index": 0})
    empty = CARD.model_copy(update={"index": 1})
    monkeypatch.setattr(hardware, "nvidia_devices", lambda: [full, empty])
    best = hardware.best_device()
    assert best.index == 1
    assert best.note == (
        "RTX 4090 (card 1) has the most memory free of 2 cards."
        " Not taken: RTX 4090 (card 0, 2.0 GB free)."
    )
    assert [device.kind for device in hardware.detect()] == ["cuda", "cuda", "cpu"]


def test_a_card_that_torch_cannot_use_is_named_in_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "nvidia_devices", lambda: [CARD])
    monkeypatch.setattr(hardware.metadata, "version", lambda _: "2.13.0+cpu")
    device = hardware.best_device()
    assert device.kind == "cpu"
    assert device.note.startswith("RTX 4090 is not used")


KFD = "sys/class/kfd/kfd/topology/nodes/"
AMD = {
    KFD + "0/properties": "cpu_cores_count 32\ngfx_target_version 0\n",
    KFD + "1/properties": "gfx_target_version 110000\ndrm_render_minor 128\n",
    KFD + "2/properties": "gfx_target_version 90402\ndrm_render_minor 129\n",
    # Processor graphics, and a card that this container may not see.
    KFD + "3/properties": "gfx_target_version 110003\ndrm_render_minor 130\n",
    KFD + "10/properties": "gfx_target_version 100300\ndrm_render_minor 131\n",
    "sys/class/drm/card0/device/drm/renderD128/dev": "",
    "sys/class/drm/card0/device/mem_info_vram_total": f"{24 * GB}\n",
    "sys/class/drm/card0/device/mem_info_vram_used": f"{GB}\n",
    "sys/class/drm/card1/device/drm/renderD129/dev": "",
    "sys/class/drm/card1/device/mem_info_vram_total": f"{192 * GB}\n",
    "sys/class/drm/card1/device/mem_info_vram_used": "0\n",
    "sys/class/drm/card1/device/product_name": "Instinct MI300X\n",
    "sys/class/drm/card2/device/drm/renderD130/dev": "",
    "sys/class/drm/card2/device/mem_info_vram_total": f"{GB // 2}\n",
    "sys/class/drm/card2/device/mem_info_vram_used": "0\n",
}


@pytest.mark.parametrize(
    ("variable", "setting", "indices"),
    [
        ("CUDA_VISIBLE_DEVICES", "1,0", [1, 0]),
        ("HIP_VISIBLE_DEVICES", "1,0", [1]),
        ("HIP_VISIBLE_DEVICES", "-1", []),
    ],
)
def test_only_visible_amd_cards_are_taken(
    variable: str, setting: str, indices: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, setting)
    assert [card.index for card in amd_devices(system(tmp_path, AMD))] == indices


def test_amd_cards_are_read(tmp_path: Path) -> None:
    cards = amd_devices(system(tmp_path, AMD))
    told = [(card.name, card.memory_free, card.bf16, card.uuid) for card in cards]
    assert told == [
        ("AMD GPU (gfx1100)", 23 * GB, True, "0"),
        ("Instinct MI300X", 192 * GB, True, "1"),
    ]
    assert all(card.kind == "cuda" and card.is_amd for card in cards)
    assert amd_devices(tmp_path / "nothing") == []


@pytest.mark.parametrize(
    ("version", "kinds", "note"),
    [
        ("2.13.0+rocm7.2", ["cuda", "cpu"], ""),
        ("2.13.0+cu130", ["cpu"], "AMD GPU is not used: the installed torch is a build for NVIDIA"),
        ("2.13.0", ["cpu"], "AMD GPU is not used"),
    ],
)
def test_an_amd_card_needs_a_build_of_torch_for_it(
    version: str, kinds: list[str], note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = CARD.model_copy(update={"name": "AMD GPU", "features": ("rocm",)})
    monkeypatch.setattr(hardware, "amd_devices", lambda: [card])
    monkeypatch.setattr(hardware.metadata, "version", lambda _: version)
    found = hardware.detect()
    assert [device.kind for device in found] == kinds
    assert found[-1].note.startswith(note)


@pytest.mark.parametrize(("release", "bf16"), [("15.1", True), ("13.6", False)])
def test_an_apple_chip(release: str, bf16: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(hardware.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(hardware.platform, "mac_ver", lambda: (release, ("", "", ""), ""))
    device = hardware.best_device()
    assert (device.kind, device.memory_free, device.bf16) == ("mps", 12 * GB, bf16)
