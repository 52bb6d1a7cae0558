"""The log of a task's worker: what it and the libraries below it have printed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from engine.train.worker import LOG

if TYPE_CHECKING:
    from pathlib import Path

_TAIL_BYTES = 1_000_000


def tail(folder: Path, lines: int) -> str:
    """Read the last lines of a task folder's log; empty where it has none yet."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
