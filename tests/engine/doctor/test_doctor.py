"""What ``loradeck doctor`` finds of the installation, the machine and the session."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine import doctor
from engine.doctor import engine_state, home_folder, installation, machine, session
from engine.doctor.check import Check, output
from engine.errors import EngineUnavailableError, OtherVersionError
from engine.home import Home
from engine.plan.types import Holder
from engine.server.wire import EngineInfo
from tests.engine.doctor.conftest import CPU


def named(home: Home, name: str) -> Check:
    """Pick a check by its name."""
    return next(item for item in doctor.check(home) if item.name == name)


def test_a_sound_installation_has_nothing_to_mend(home: Home) -> None:
    checks = doctor.check(home)
    assert {item.status for item in checks} == {"ok"}
    names = ["python", "packages", "bitsandbytes", "device", "memory", "disk", "permissions"]
    there = [item.name for item in checks if item.name != "shared memory"]
    assert there == [*names, "engine", "tasks"]


def test_what_is_not_ok_has_a_hint(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        machine.psutil, "virtual_memory", lambda: SimpleNamespace(total=1, available=1)
    )
    monkeypatch.setattr(home_folder, "_kind_of", lambda _: "nfs4")
    home.root.chmod(0o755)
    home.store_file.write_text("{")
    wrong = [item for item in doctor.check(home) if item.status != "ok"]
    assert {item.name for item in wrong} == {"memory", "file system", "permissions", "tasks"}
    assert all(item.hint for item in wrong)


def test_a_home_that_is_not_there_yet_is_no_problem(tmp_path: Path) -> None:
    assert {item.status for item in doctor.check(Home(tmp_path / "a" / "b"))} == {"ok"}


@pytest.mark.parametrize(
    ("version", "words"), [("3.0.0", "torch 3.0.0 is outside"), (None, "torch is missing")]
)
def test_packages_outside_their_range(
    version: str | None, words: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(_name: str) -> str:
        if version is None:
            raise installation.metadata.PackageNotFoundError
        return version

    monkeypatch.setattr(installation.metadata, "version", find)
    monkeypatch.setattr(installation, "_bitsandbytes", lambda _: iter(()))
    found = named(home, "packages")
    assert found.status == "problem"
    assert words in found.detail
    assert found.hint


def _build(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """Have torch be built for something."""
    folder = installation._package("torch")
    assert folder
    (folder / "version.py").write_text(f"__version__ = '2.13.0'\n{line}\ngit_version = 'cf3'\n")


@pytest.mark.parametrize(
    ("built", "driver", "status", "words"),
    [
        ("12.8", ("535.1", (12, 2)), "ok", "torch is built for 12.8"),
        ("13.0", ("535.1", (12, 2)), "problem", "too old for torch's CUDA 13.0"),
        ("11.8", ("580.1", (13, 0)), "ok", "up to 13.0"),
    ],
)
def test_driver_and_torch(
    built: str,
    driver: tuple[str, tuple[int, int]],
    status: str,
    words: str,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _build(monkeypatch, f"cuda: Optional[str] = '{built}'")
    monkeypatch.setattr(installation, "driver_versions", lambda: driver)
    found = named(home, "driver")
    assert (found.status, words in found.detail) == (status, True)


def test_a_card_without_a_driver(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "_has_card", lambda _: True)
    found = named(home, "driver")
    assert found.status == "warning"
    assert "--gpus all" in found.hint


@pytest.mark.parametrize(
    ("vendor", "kind", "found"),
    [("0x10de", "0x030000", True), ("0x10de", "0x040300", False), ("0x1002", "0x030000", False)],
)
def test_a_card_on_the_bus(
    vendor: str, kind: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    device = tmp_path / "sys/bus/pci/devices/0000:01:00.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text(vendor + "\n")
    (device / "class").write_text(kind + "\n")
    assert installation._has_card(tmp_path) is found


@pytest.mark.parametrize(
    ("line", "libraries", "status"),
    [
        ("cuda: Optional[str] = '12.9'", ["cuda128", "cpu"], "ok"),
        ("cuda: Optional[str] = '13.0'", ["cuda128", "cpu"], "warning"),
        ("hip: Optional[str] = '6.4.43482'", ["rocm64"], "ok"),
        ("cuda: Optional[str] = None", ["cuda128"], "warning"),
    ],
)
def test_bitsandbytes_has_a_library_for_torch(
    line: str,
    libraries: list[str],
    status: str,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _build(monkeypatch, line)
    folder = installation._package("bitsandbytes")
    assert folder
    (folder / "libbitsandbytes_cpu.so").unlink()
    for name in libraries:
        (folder / f"libbitsandbytes_{name}.so").touch()
    assert named(home, "bitsandbytes").status == status


def test_who_holds_most_of_a_card_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    held = (Holder(pid=7, name="python", memory=9 * 10**9), Holder(pid=8, name="Xorg", memory=1))
    card = CPU.model_copy(update={"kind": "cuda", "name": "RTX 4090", "holders": held})
    monkeypatch.setattr(machine, "detect", lambda: [card, CPU])
    assert named(home, "device").detail.endswith("free; python (pid 7) holds 9.0 GB")


def test_a_card_that_torch_cannot_use(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = CPU.model_copy(update={"note": "RTX 4090 is not used."})
    monkeypatch.setattr(machine, "detect", lambda: [cpu])
    found = named(home, "device")
    assert found.status == "warning"
    assert "RTX 4090" in found.detail


@pytest.mark.parametrize(("limit", "status"), [(8 * 10**9, "ok"), (2 * 10**9, "warning")])
def test_memory_that_a_control_group_limits(
    limit: int, status: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "memory_limits", lambda: [(limit, 10**9)])
    monkeypatch.setattr(machine.psutil, "swap_memory", lambda: SimpleNamespace(total=2 * 10**9))
    found = named(home, "memory")
    assert found.status == status
    assert found.detail.startswith(f"1.0 GB of {limit / 1e9:.1f} GB free: a control group limits")
    assert found.detail.endswith("2.0 GB of swap")


def test_shared_memory(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> list[str]:
        return [
            item.status
            for item in machine.check_machine(home, tmp_path)
            if item.name == "shared memory"
        ]

    assert found() == ["ok"]
    small = SimpleNamespace(free=1, total=10**6)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: small)
    assert found() == ["warning"]

    def refuse(**_: object) -> None:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(machine.tempfile, "TemporaryFile", refuse)
    assert found() == ["problem"]
    missing = list(machine.check_machine(home, tmp_path / "none"))
    assert "shared memory" not in {item.name for item in missing}


def test_little_room(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    little = SimpleNamespace(free=10**9, total=10**12)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: little)
    found = named(home, "disk")
    assert found.status == "warning"
    assert "du -xh" in found.hint


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


def test_files_of_somebody_else(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_folder, "_is_ours", lambda path: path.name != "datasets")
    found = named(home, "owner")
    assert (found.status, found.detail) == ("problem", "not yours: datasets")
    assert found.hint == f"sudo chown -R {os.getuid()}:{os.getgid()} {home.root}"


@pytest.mark.parametrize(("kind", "count"), [("nfs4", 1), ("fuse.sshfs", 1), ("xfs", 0), ("", 0)])
def test_a_home_over_a_network(
    kind: str, count: int, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_folder, "_kind_of", lambda _: kind)
    assert len([item for item in doctor.check(home) if item.name == "file system"]) == count


def test_the_kind_of_file_system_is_that_of_the_nearest_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    mounts = [("/", "ext4"), (str(tmp_path.parent), "nfs4")]
    parts = [SimpleNamespace(mountpoint=place, fstype=kind) for place, kind in mounts]
    monkeypatch.setattr(home_folder.psutil, "disk_partitions", lambda all: parts)  # noqa: A006
    assert home_folder._kind_of(tmp_path / "not there yet") == "nfs4"
    assert home_folder._kind_of(Path("/usr")) == "ext4"


def test_an_engine_that_was_killed(home: Home) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(home.socket))
    found = named(home, "engine")
    assert found.status == "warning"
    assert "left its socket" in found.detail


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (
            EngineInfo(
                version="1",
                pid=7,
                home="/h",
                started_at=0,
                tasks_running=2,
                tasks_pending=3,
                spare_ready=True,
            ),
            "ok",
            "process 7; 2 tasks running, 3 queued",
        ),
        (EngineUnavailableError("t", "Timed out."), "problem", "does not answer: Timed out."),
        (OtherVersionError("t", "It is version 9.", "Stop it"), "warning", "version 9"),
    ],
)
def test_an_engine_that_runs(
    answer: Any, status: str, words: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(_: Home) -> EngineInfo:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(engine_state, "holder", lambda _: 7)
    monkeypatch.setattr(engine_state, "_ask", ask)
    found = named(home, "engine")
    assert (found.status, words in found.detail) == (status, True)


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
    monkeypatch.setattr(session, "_SYSTEMD", home.root)
    monkeypatch.setattr(session, "output", lambda command, *_: answers.get(command, ""))
    assert named(home, "log-out").status == status


@pytest.mark.parametrize(("setting", "count"), [("external", 1), ("off", 1), ("on", 0)])
def test_tmux_keeps_the_clipboard(
    setting: str, count: int, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux,1,0")  # noqa: S108
    monkeypatch.setattr(session, "output", lambda command, *_: setting * (command == "tmux"))
    assert len([item for item in doctor.check(home) if item.name == "tmux"]) == count


def test_programs_that_are_not_there_say_nothing() -> None:
    assert output("no-such-program-here") == ""
    assert output(sys.executable, "-c", "print('x'); raise SystemExit(3)") == ""
    assert output(sys.executable, "-c", "print('x')") == "x"


def test_it_loads_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys, engine.doctor, engine.plan.planner, engine.plan.text; "
        "heavy = {'torch', 'transformers', 'datasets', 'peft', 'trl', 'bitsandbytes', 'rich'}; "
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_clean_says_what_it_removed(home: Home) -> None:
    left = home.removed_task("abc")
    left.mkdir()
    os.utime(left, (1, 1))
    environment = {**os.environ, "LORADECK_HOME": str(home.root)}
    code = "from tui.cli import main; main()"
    for expected in ([str(left)], []):
        done = subprocess.run(
            [sys.executable, "-c", code, "doctor", "--clean", "--json"],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        checks = json.loads(done.stdout)
        assert [item["detail"] for item in checks if item["name"] == "removed"] == expected
