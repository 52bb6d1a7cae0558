"""Starts a job's process, looks whether it lives, and ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from engine.jobs.worker import LOCK, LOG
from engine.locks import holder
from engine.train.worker import NO_GPU, library_environment

if TYPE_CHECKING:
    from pathlib import Path

    from engine.home import Home

_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    **NO_GPU,  # trainings have the cards; a job must not take their memory
}


def command(folder: Path) -> list[str]:
    """Give the command line of a job's process; ``-P`` keeps the current folder's modules out."""
    return [sys.executable, "-P", "-m", "engine.jobs.worker", str(folder)]


def start(home: Home, folder: Path) -> subprocess.Popen[bytes]:
    """Start a job's process, in a session of its own: it outlives the server."""
    fd = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            command(folder),
            env=os.environ
            | library_environment("")
            | _ENVIRONMENT
            | {"LORADECK_HOME": str(home.root)},
            stdin=subprocess.DEVNULL,
            stdout=fd,
            stderr=fd,
            start_new_session=True,
        )
    finally:
        os.close(fd)


def pid_of(folder: Path) -> int | None:
    """Give the pid of the process that does a job; ``None`` where none does, 0 where unknown."""
    return holder(folder / LOCK)


def last_pid(folder: Path) -> int:
    """Give the pid of the process that did a job; 0 where that is not known."""
    try:
        text = (folder / LOCK).read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0


def ask_to_end(pid: int) -> None:
    """Ask a job's process to end; one that is gone by now is no fault."""
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return


def kill(pid: int) -> None:
    """Kill a job's process and what it has started, which are of its session."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def kill_orphans(pid: int) -> None:
    """Kill what a job's process has started that is gone itself, such as a converter at work.

    While any of its group lives, no other process gets its number.
    """
    if pid and (not psutil.pid_exists(pid) or _is_zombie(pid)):
        kill(pid)


def _is_zombie(pid: int) -> bool:
    """Tell whether a process has ended, and nobody has asked how."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
