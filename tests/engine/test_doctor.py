"""What ``loradeck doctor`` finds."""

from __future__ import annotations

import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from engine import doctor
from engine.plan.types import Device, Holder

if TYPE_CHECKING:
    from pathlib import Path

    from engine.home import Home

CPU = Device(kind="cpu", name="EPYC", cores=2, memory_total=24 * 10**9, memory_free=21 * 10**9)


@pytest.fixture(autouse=True)
def _plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without GPU, systemd and tmux, with packages as tested."""
    monkeypatch.setattr(doctor, "detect", lambda: [CPU])
    monkeypatch.setattr(doctor, "_SYSTEMD", tmp_path / "none")
    monkeypatch.setattr(doctor, "_output", lambda *_: "")
    monkeypatch.setattr(
        doctor.metadata, "requires", lambda _: ["torch>=2.8,<3", "x; extra == 'dev'"]
    )
    monkeypatch.setattr(doctor.metadata, "version", lambda _: "2.13.0+cpu")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**12))
    monkeypatch.delenv("TMUX", raising=False)


def named(home: Home, name: str) -> doctor.Check:
    """Pick a check by its name."""
    return next(item for item in doctor.check(home) if item.name == name)


def test_a_sound_installation_has_nothing_to_mend(home: Home) -> None:
    checks = doctor.check(home)
    assert {item.status for item in checks} == {"ok"}
    assert {"python", "packages", "device", "disk", "permissions", "engine"} == {
        item.name for item in checks
    }


def test_who_holds_most_of_a_card_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    held = (Holder(pid=7, name="python", memory=9 * 10**9), Holder(pid=8, name="Xorg", memory=1))
    card = CPU.model_copy(update={"kind": "cuda", "name": "RTX 4090", "holders": held})
    monkeypatch.setattr(doctor, "detect", lambda: [card, CPU])
    assert named(home, "device").detail.endswith("free; python (pid 7) holds 9.0 GB")


def test_a_home_that_is_not_there_yet_is_no_problem(tmp_path: Path) -> None:
    from engine.home import Home

    assert {item.status for item in doctor.check(Home(tmp_path / "a" / "b"))} == {"ok"}


@pytest.mark.parametrize(
    ("version", "words"), [("3.0.0", "torch 3.0.0 is outside"), (None, "torch is missing")]
)
def test_packages_outside_their_range(
    version: str | None, words: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(_name: str) -> str:
        if version is None:
            raise doctor.metadata.PackageNotFoundError
        return version

    monkeypatch.setattr(doctor.metadata, "version", find)
    found = named(home, "packages")
    assert found.status == "problem"
    assert words in found.detail
    assert found.hint


def test_a_card_that_torch_cannot_use(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = CPU.model_copy(update={"note": "RTX 4090 is not used."})
    monkeypatch.setattr(doctor, "detect", lambda: [cpu])
    found = named(home, "device")
    assert found.status == "warning"
    assert "RTX 4090" in found.detail


def test_little_room(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    assert named(home, "disk").status == "warning"


def test_an_open_home_is_a_warning(home: Home) -> None:
    home.root.chmod(0o755)
    found = named(home, "permissions")
    assert found.status == "warning"
    assert found.hint == f"chmod go= {home.root}"


def test_an_open_socket_is_a_problem(home: Home) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(home.socket))
        home.socket.chmod(0o666)
        assert named(home, "permissions").status == "problem"


def test_a_running_engine_and_one_that_was_killed(home: Home) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(home.socket))
        server.listen()
        assert named(home, "engine").detail == "running"
    found = named(home, "engine")
    assert found.status == "warning"
    assert "left its socket" in found.detail


def test_unfinished_downloads(home: Home) -> None:
    work = home.models / ".demo"
    work.mkdir()
    (work / "half.partial").write_bytes(b"x" * 2_000)
    found = named(home, "downloads")
    assert found.detail == "unfinished, 2 kB: .demo"


@pytest.mark.parametrize(
    ("kills", "lingers", "status"),
    [
        ("b true", "no", "warning"),
        ("b true", "yes", "ok"),
        ("b false", "no", "ok"),
        ("", "", "warning"),
    ],
)
def test_systemd_at_log_out(
    kills: str, lingers: str, status: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"busctl": kills, "loginctl": lingers}
    monkeypatch.setattr(doctor, "_SYSTEMD", home.root)
    monkeypatch.setattr(doctor, "_output", lambda command, *_: answers.get(command, ""))
    assert named(home, "log-out").status == status


@pytest.mark.parametrize(("setting", "count"), [("external", 1), ("off", 1), ("on", 0)])
def test_tmux_keeps_the_clipboard(
    setting: str, count: int, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux,1,0")  # noqa: S108
    monkeypatch.setattr(doctor, "_output", lambda command, *_: setting * (command == "tmux"))
    assert len([item for item in doctor.check(home) if item.name == "tmux"]) == count


def test_it_loads_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys, engine.doctor, engine.plan.planner, engine.plan.text; "
        "heavy = {'torch', 'transformers', 'datasets', 'peft', 'trl', 'bitsandbytes', 'rich'}; "
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
