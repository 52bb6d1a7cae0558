"""The login session: whether trainings outlive it, and whether copying reaches its clipboard."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.doctor.check import Check, ok, output, warning
from engine.language import mark, tr
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOG_OUT = mark("log-out")
_SYSTEMD = Path("/run/systemd/system")
_LOGIN_MANAGER = (
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
)


def check_session() -> Iterator[Check]:
    """Look at the login session."""
    yield from _lingering()
    yield from _tmux()


def _lingering() -> Iterator[Check]:
    """Find out whether systemd would end a training at log-out."""
    if not _SYSTEMD.is_dir():
        return
    setting = output("busctl", "get-property", *_LOGIN_MANAGER, "KillUserProcesses")
    linger = output("loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value")
    if setting == "b false" or linger == "yes":
        yield ok(_LOG_OUT, tr("trainings outlive it"))
        return
    words = (
        tr("systemd ends your processes when you log out (KillUserProcesses)")
        if setting == "b true"
        else tr("systemd may end your processes when you log out (KillUserProcesses)")
    )
    yield warning(_LOG_OUT, words, tr("loginctl enable-linger keeps trainings going."))


def _tmux() -> Iterator[Check]:
    """Find out, inside tmux, whether copying reaches the clipboard."""
    setting = output("tmux", "show-options", "-sv", "set-clipboard")
    if os.environ.get("TMUX") and setting not in ("", "on"):
        words = tr(
            "set-clipboard is {setting}: copying does not reach your clipboard",
            setting=visible(setting),
        )
        yield warning("tmux", words, "tmux set-option -s set-clipboard on")
