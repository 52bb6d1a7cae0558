"""Faults that come in through the socket, or take it away."""

from __future__ import annotations

import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.server.wire import PREFIX

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from engine.server.client import EngineClient
    from engine.tasks.record import TaskRecord
    from tests.chaos.ground import Ground

_LORADECK = Path(sys.executable).with_name("loradeck")
_MOST_DEAF = 50


def kill_client(ground: Ground) -> str | None:
    """Kill a command that follows a task, shortly after its start."""
    task = ground.current()
    if task is None:
        return None
    child = ground.start(_LORADECK, "tasks", "follow", task)
    time.sleep(ground.random.uniform(0.3, 1.5))
    child.kill()
    child.wait()
    return f"client {child.pid}"


def pause_task(ground: Ground) -> str | None:
    """Pause the task under way, as a user does; a later visit has it go on."""
    return _of_running(ground, lambda client, task: client.pause(task))


def cancel_task(ground: Ground) -> str | None:
    """Cancel the task under way and keep its checkpoints; a later visit has it go on after all."""
    if done := _of_running(ground, lambda client, task: client.cancel(task, keep=True)):
        ground.cancelled.add(done)
    return done


def move_task(ground: Ground) -> str | None:
    """Give a task another place in the queue, or another priority."""
    waiting = [task for task, status in ground.statuses().items() if status == "pending"]
    if not waiting or ground.server() is None:
        return None
    task, priority = ground.random.choice(waiting), ground.random.randint(-2, 2)
    try:
        ground.ask(lambda client: client.prioritize(task, priority))
        ground.ask(lambda client: client.move(task, "first"))
    except LoraDeckError:
        return None  # it has just started, or the server has ended
    return f"{task} has priority {priority}"


def _of_running(
    ground: Ground, act: Callable[[EngineClient, str], Awaitable[TaskRecord]]
) -> str | None:
    """Do something with the task under way; ``None`` where none is."""
    task = ground.current()
    if task is None or ground.server() is None or ground.statuses().get(task) != "running":
        return None
    try:
        ground.ask(lambda client: act(client, task))
    except LoraDeckError:
        return None  # it has just ended, or the server has
    return task


def deaf_client(ground: Ground) -> str | None:
    """Ask for a stream and never read it; some fifty of these stay."""
    task = ground.current()
    path = "/watch" if ground.random.random() < 0.5 or not task else f"/tasks/{task}/events"
    request = f"GET {PREFIX}{path} HTTP/1.1\r\nHost: engine\r\n\r\n".encode()
    if (connection := _send(ground, request)) is None:
        return None
    ground.sleepers.append(connection)
    if len(ground.sleepers) > _MOST_DEAF:
        ground.sleepers.pop(0).close()
    return f"{path}, {len(ground.sleepers)} are open"


def garbage(ground: Ground) -> str | None:
    """Send what is no request, or half a one, and go."""
    random = ground.random
    kinds = {
        "noise": random.randbytes(random.randrange(1, 5000)),
        "half a request": f"POST {PREFIX}/train HTTP/1.1\r\nHost: e\r\nContent-Le".encode(),
        "a body that never comes": f"POST {PREFIX}/train HTTP/1.1\r\nHost: e\r\n"
        "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{".encode(),
        "a body that is no JSON": f"POST {PREFIX}/train HTTP/1.1\r\nHost: e\r\n"
        "Content-Type: application/json\r\nContent-Length: 4\r\n\r\n\xff{{{".encode("latin-1"),
        "a long header": b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        "a strange path": f"GET {PREFIX}/tasks/..%2f..%2fetc HTTP/1.1\r\nHost: e\r\n\r\n".encode(),
    }
    kind = random.choice(list(kinds))
    connection = _send(ground, kinds[kind])
    if connection is None:
        return None
    connection.close()
    return kind


def _send(ground: Ground, data: bytes) -> socket.socket | None:
    """Connect and send, as far as the server takes it; ``None`` where none listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(1.0)
    try:
        connection.connect(str(ground.home.socket))
    except OSError:
        connection.close()
        return None
    with suppress(OSError):  # the server has heard enough and hung up
        connection.sendall(data)
    return connection


def remove_socket(ground: Ground) -> str | None:
    """Remove the socket's file under a running server, which ends when it sees that."""
    if ground.server() is None or not ground.home.socket.exists():
        return None
    if ground.worker() is None:
        if not ground.may_interrupt(before=1):
            return None
        ground.interrupts()
    ground.home.socket.unlink(missing_ok=True)
    return "while its server runs"
