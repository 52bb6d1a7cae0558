"""Opening a folder in the desktop's file manager, where there is a desktop."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def opener() -> str | None:
    """Give the platform's program that opens folders; ``None`` where nobody would see it.

    Over SSH it would open on the machine's own screen, if it has one.
    """
    if os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"):
        return None
    if sys.platform == "darwin":
        return shutil.which("open")
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None
    return shutil.which("xdg-open")


def open_folder(folder: Path) -> bool:
    """Open a folder; tell whether a program was started for it."""
    command = opener()
    if command is None:
        return False
    subprocess.Popen(
        [command, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return True
