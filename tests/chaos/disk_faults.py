"""A disk that is full for a while."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.ground import Ground

_FILLER = "filler"
_BLOCK = 4096


def fill_disk(ground: Ground) -> str | None:
    """Fill the home's file system to within a few pages, and free it again within three seconds.

    Called only where the home has a small file system of its own.
    """
    path = ground.home.root.with_name(_FILLER)
    if path.exists():
        return None
    spared, seconds = ground.random.randrange(4), ground.random.uniform(0.3, 3.0)
    free = os.statvfs(path.parent)
    with path.open("wb", buffering=0) as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, (free.f_bavail - spared) * _BLOCK)
    ground.later(seconds, lambda: path.unlink(missing_ok=True))
    return f"{spared} pages are free, for {seconds:.1f} s"
