"""Imported by the zygote: what workers import, and a parent as they are used to."""

from __future__ import annotations

import os
from multiprocessing.process import current_process

from engine.train.worker import _import_heavy_modules
from tests.chaos.processes import is_alive


def _server_pid() -> int:
    """Give the pid of the server that asked for this worker; 1 once it is gone."""
    pid = int(current_process()._parent_pid or 1)  # type: ignore[attr-defined]
    return pid if is_alive(pid) else 1


_import_heavy_modules()
os.getppid = _server_pid
