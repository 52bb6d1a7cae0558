"""Room on the disk, and how far a download has come by what lies there."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.errors import DiskFullError
from engine.language import tr
from engine.text import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.models.types import Report

_INTERVAL = 0.25  # seconds


def require_space(folder: Path, size: int) -> None:
    """Check that ``size`` bytes fit on the disk of a folder, which need not exist yet.

    Raises:
        DiskFullError: They do not.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < size:
        raise DiskFullError(
            tr("Too little disk space"),
            tr(
                "{size} are needed under {folder}, {free} are free.",
                size=human_bytes(size),
                folder=folder,
                free=human_bytes(free),
            ),
            tr("Make room, or put the folder on another disk."),
        )


def size_while_written(folder: Path) -> int:
    """Sum up the bytes below a folder whose files may come and go."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 (a hot loop)
            except OSError:
                continue
    return total


@contextmanager
def watch_growth(folder: Path, size: int, report: Report) -> Iterator[None]:
    """Report a download's share while the block runs, from the size that its folder has.

    Neither pip nor the hub's client tells its progress in a way that lasts over versions.
    """
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_INTERVAL):
            report("downloading", min(0.99, size_while_written(folder) / max(1, size)))

    thread = threading.Thread(target=watch, name="watch-growth", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
