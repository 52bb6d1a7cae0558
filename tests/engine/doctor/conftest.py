"""A machine without GPU, systemd and tmux, with packages as tested and room enough."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from engine.doctor import home_folder, installation, machine, session
from engine.plan.types import Device

if TYPE_CHECKING:
    from pathlib import Path

CPU = Device(kind="cpu", name="EPYC", cores=2, memory_total=24 * 10**9, memory_free=21 * 10**9)


@pytest.fixture(autouse=True)
def _plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    for name in ("torch", "bitsandbytes"):
        (packages / name).mkdir(parents=True)
    (packages / "torch" / "version.py").write_text("cuda: Optional[str] = None\nhip = None\n")
    (packages / "bitsandbytes" / "libbitsandbytes_cpu.so").touch()
    monkeypatch.setattr(installation, "_package", lambda name: packages / name)
    monkeypatch.setattr(installation, "driver_versions", lambda: None)
    monkeypatch.setattr(installation, "_has_card", lambda _: False)
    metadata = installation.metadata
    monkeypatch.setattr(metadata, "requires", lambda _: ["torch>=2.8,<3", "x; extra == 'dev'"])
    monkeypatch.setattr(metadata, "version", lambda _: "2.13.0+cpu")
    monkeypatch.setattr(machine, "detect", lambda: [CPU])
    monkeypatch.setattr(machine, "memory_limits", list)
    memory = SimpleNamespace(total=24 * 10**9, available=21 * 10**9)
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(machine.psutil, "swap_memory", lambda: SimpleNamespace(total=0))
    usage = SimpleNamespace(free=10**12, total=10**12)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(home_folder, "_kind_of", lambda _: "ext4")
    monkeypatch.setattr(session, "_SYSTEMD", tmp_path / "none")
    monkeypatch.setattr(session, "output", lambda *_: "")
    monkeypatch.delenv("TMUX", raising=False)
