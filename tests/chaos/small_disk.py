"""A small file system for the home, where one may be mounted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_INSIDE = "CHAOS_NAMESPACE"
_SIZE = "192m"


def enter_namespace() -> None:
    """Run this program anew where it may mount, if there is a way; nothing it mounts outlives it.

    Root needs a mount namespace alone, others a user namespace beside it.
    """
    if os.environ.get(_INSIDE) or not shutil.which("unshare"):
        return
    for way in (["unshare", "--mount"], ["unshare", "--mount", "--user", "--map-root-user"]):
        if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            os.environ[_INSIDE] = "1"
            os.execvp(way[0], [*way, sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def mount_small(folder: Path) -> str:
    """Mount a small file system; gives why that could not be, else nothing."""
    if not os.environ.get(_INSIDE):
        return "neither unshare nor user namespaces are to be had here"
    command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=700", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr.strip()
