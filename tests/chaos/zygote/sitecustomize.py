"""Imported by every Python that is started with this folder on its path: see the package."""

import os
from multiprocessing import context, forkserver, popen_forkserver

_spawn = context.SpawnProcess._Popen


def _start(process):
    """Have a worker forked from the zygote, and everything else spawned."""
    if process.name != "loradeck-worker":
        return _spawn(process)
    server = forkserver._forkserver
    address, key = os.environ["CHAOS_ZYGOTE"].split("\n")
    server._forkserver_address = address
    server._forkserver_authkey = bytes.fromhex(key)
    server._forkserver_alive_fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    server.ensure_running = lambda: None
    return popen_forkserver.Popen(process)


if os.environ.get("CHAOS_ZYGOTE"):
    context.SpawnProcess._Popen = staticmethod(_start)
