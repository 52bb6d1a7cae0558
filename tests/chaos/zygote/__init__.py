"""A process with the workers' imports done, which workers are forked from.

A worker imports for 5 to 20 seconds and trains for four: most of a run of the harness would pass
with nothing to disturb. So a part of the servers gets its workers from here, at once; the others
spawn theirs as ever. Such a worker has the server's pid for its parent's, as a spawned one.
"""

from __future__ import annotations

import os
from multiprocessing import forkserver, resource_tracker
from pathlib import Path

from engine.train.worker import library_environment
from tests.chaos.processes import HARNESS

_VARIABLE = "CHAOS_ZYGOTE"
_PRELOADED = ["tests.chaos.zygote.preload"]


def start_zygote() -> None:
    """Start it; it ends with this process."""
    os.environ.update(library_environment(""))
    forkserver.set_forkserver_preload(_PRELOADED)
    forkserver.ensure_running()
    HARNESS.update(
        (forkserver._forkserver._forkserver_pid, resource_tracker._resource_tracker._pid)
    )
    here = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))


def use_zygote(*, used: bool) -> None:
    """Choose where servers that are started from now on get their workers."""
    if not used:
        os.environ.pop(_VARIABLE, None)
        return
    server = forkserver._forkserver
    key = getattr(server, "_forkserver_authkey", None) or b""
    os.environ[_VARIABLE] = f"{server._forkserver_address}\n{key.hex()}"
