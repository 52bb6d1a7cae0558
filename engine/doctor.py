"""``loradeck doctor``: looks at the installation and says what to mend. Loads none of it."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import socket
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from packaging.requirements import Requirement
from pydantic import BaseModel, ConfigDict

from engine.files import size_of
from engine.plan.hardware import detect
from engine.text import human_bytes, visible

if TYPE_CHECKING:
    from engine.home import Home
    from engine.plan.types import Device

Status = Literal["ok", "warning", "problem"]

_ROOM = 5_000_000_000
"""The demo model with its download, and a run's checkpoints, take a fifth of it."""
_OTHERS = 0o077
"""The permission bits of everybody but the owner."""
_SYSTEMD = Path("/run/systemd/system")
_LOGIN_MANAGER = (
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
)


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True)

    name: str
    status: Status
    """``problem`` keeps LoRADeck from working; ``warning`` may surprise."""
    detail: str
    hint: str = ""


def check(home: Home) -> list[Check]:
    """Look at everything that a training needs; changes nothing."""
    return [
        _python(),
        _packages(),
        _device(),
        _disk(home),
        *_permissions(home),
        *_socket(home),
        *_downloads(home),
        *_lingering(),
        *_tmux(),
    ]


def _python() -> Check:
    """Name the interpreter; an older one could not have loaded this file."""
    return Check(name="python", status="ok", detail=platform.python_version())


def _packages() -> Check:
    """Compare what is installed with the ranges that were tested."""
    try:
        wanted = [Requirement(line) for line in metadata.requires("loradeck") or []]
    except metadata.PackageNotFoundError:
        words, hint = "loradeck itself is not installed", "Run make setup."
        return Check(name="packages", status="problem", detail=words, hint=hint)
    needed = [item for item in wanted if item.marker is None or item.marker.evaluate()]
    wrong = [words for item in needed if (words := _mismatch(item))]
    if wrong:
        hint = "pip install -c constraints.txt -e . installs the tested set."
        return Check(name="packages", status="problem", detail="; ".join(wrong), hint=hint)
    words = f"all {len(needed)} within their tested ranges; torch {metadata.version('torch')}"
    return Check(name="packages", status="ok", detail=words)


def _mismatch(wanted: Requirement) -> str:
    """Say what is wrong with one package; nothing where it fits."""
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return f"{wanted.name} is missing"
    if wanted.specifier.contains(found, prereleases=True):
        return ""
    return f"{wanted.name} {found} is outside {wanted.specifier}"


def _device() -> Check:
    """Name the device that a run would be planned for."""
    devices = detect()
    best = devices[0]
    memory = f"{human_bytes(best.memory_free)} of {human_bytes(best.memory_total)} free"
    others = f"; {len(devices) - 2} more" if len(devices) > 2 else ""
    if best.kind != "cpu":
        words = f"{best.name}, {memory}{_held(best)}{others}"
        return Check(name="device", status="ok", detail=words)
    words = f"{best.name}, {best.cores} cores, {memory}; no GPU"
    if best.note:
        hint = "Install the build of torch for your driver: https://pytorch.org/get-started"
        return Check(name="device", status="warning", detail=f"{words}. {best.note}", hint=hint)
    return Check(name="device", status="ok", detail=words, hint="Small models train on a CPU.")


def _held(device: Device) -> str:
    """Name the process that holds most of a card's memory, where the driver tells."""
    holder = next((one for one in device.holders if one.memory), None)
    if holder is None:
        return ""
    return f"; {holder.name} (pid {holder.pid}) holds {human_bytes(holder.memory)}"


def _disk(home: Home) -> Check:
    """Look at the room where models and checkpoints go."""
    folder = next(path for path in (home.root, *home.root.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    words = f"{human_bytes(free)} free in {visible(str(home.root))}"
    if free >= _ROOM:
        return Check(name="disk", status="ok", detail=words)
    return Check(name="disk", status="warning", detail=words, hint="Free some room first.")


def _permissions(home: Home) -> list[Check]:
    """Make sure that nobody else can reach the home or the server's socket."""
    if home.root.exists() and not home.root.is_dir():
        words = f"{visible(str(home.root))} is a file, no folder"
        hint = "Choose another home: LORADECK_HOME=FOLDER"
        return [Check(name="permissions", status="problem", detail=words, hint=hint)]
    private = [path for path in (home.run, home.socket.parent, home.socket) if _is_open(path)]
    paths = list(dict.fromkeys([*private, *([home.root] if _is_open(home.root) else [])]))
    if not paths:
        return [Check(name="permissions", status="ok", detail="the home is closed to others")]
    names = [visible(str(path)) for path in paths]
    return [
        Check(
            name="permissions",
            # Whoever reaches the socket can start trainings; the rest can only be read.
            status="problem" if private else "warning",
            detail=f"open to other users: {', '.join(names)}",
            hint=f"chmod go= {shlex.join(names)}",
        )
    ]


def _is_open(path: Path) -> bool:
    """Tell whether others may do anything with a path."""
    with suppress(OSError):
        return bool(path.stat().st_mode & _OTHERS)
    return False


def _socket(home: Home) -> list[Check]:
    """Find a socket that a killed server left behind."""
    if not home.socket.exists():
        return [Check(name="engine", status="ok", detail="not running")]
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(str(home.socket))
        except OSError:
            words = "not running; a killed server left its socket behind"
            hint = "Nothing to do: the next start replaces it."
            return [Check(name="engine", status="warning", detail=words, hint=hint)]
    return [Check(name="engine", status="ok", detail="running")]


def _downloads(home: Home) -> list[Check]:
    """Find what interrupted downloads and conversions left: folders with a leading dot."""
    if not home.models.is_dir():
        return []
    left = [path for path in home.models.iterdir() if path.name.startswith(".")]
    if not left:
        return []
    size = sum(size_of(path) if path.is_dir() else path.stat().st_size for path in left)
    words = f"unfinished, {human_bytes(size)}: {', '.join(visible(path.name) for path in left)}"
    hint = "loradeck models pull NAME finishes it, unless one is under way."
    return [Check(name="downloads", status="warning", detail=words, hint=hint)]


def _lingering() -> list[Check]:
    """Find out whether systemd would end a training at log-out."""
    if not _SYSTEMD.is_dir():
        return []
    setting = _output("busctl", "get-property", *_LOGIN_MANAGER, "KillUserProcesses")
    linger = _output("loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value")
    if setting == "b false" or linger == "yes":
        return [Check(name="log-out", status="ok", detail="trainings outlive it")]
    ends = "ends" if setting == "b true" else "may end"
    words = f"systemd {ends} your processes when you log out (KillUserProcesses)"
    hint = "loginctl enable-linger keeps trainings going."
    return [Check(name="log-out", status="warning", detail=words, hint=hint)]


def _tmux() -> list[Check]:
    """Find out, inside tmux, whether copying reaches the clipboard."""
    setting = _output("tmux", "show-options", "-sv", "set-clipboard")
    if not os.environ.get("TMUX") or setting in ("", "on"):
        return []
    words = f"set-clipboard is {visible(setting)}: copying does not reach your clipboard"
    hint = "tmux set-option -s set-clipboard on"
    return [Check(name="tmux", status="warning", detail=words, hint=hint)]


def _output(*command: str) -> str:
    """Run a command and give what it printed; empty where it fails or is not there."""
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""
    return ""
