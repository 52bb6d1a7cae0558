"""Faults of processes: killed, ended, stopped for a while, started twice."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

from engine.plan.types import Plan
from engine.train.spec import TaskSpec
from tests.chaos.processes import send

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.ground import Ground

_MOMENT_SECONDS = 3.0
_SERVE = "import sys; from engine.server.main import main; main(sys.argv[1])"
_WORK = """
import sys
from types import SimpleNamespace
from engine.train.spec import TaskSpec
from engine.train.worker import run_task
run_task(TaskSpec.model_validate_json(sys.argv[1]), SimpleNamespace(put=lambda event: None))
"""


def kill_server(ground: Ground) -> str | None:
    """Kill the server."""
    return _signal_server(ground, signal.SIGKILL)


def end_server(ground: Ground) -> str | None:
    """Ask the server to end."""
    return _signal_server(ground, signal.SIGTERM)


def _signal_server(ground: Ground, number: signal.Signals) -> str | None:
    """Signal the server; a worker that has not taken its task up yet goes with it."""
    pid = ground.server()
    if not pid or (ground.worker() is None and not ground.may_interrupt(before=1)):
        return None
    if ground.worker() is None:
        ground.interrupts()
    send(pid, number)
    return f"server {pid}"


def kill_worker(ground: Ground) -> str | None:
    """Kill a worker, in whatever it does; it may be one that imports still."""
    if not (pids := ground.workers()) or not ground.may_interrupt():
        return None
    return _kill_worker(ground, ground.random.choice(pids))


def _kill_worker(ground: Ground, pid: int) -> str:
    """Kill one worker."""
    ground.interrupts()
    send(pid, signal.SIGKILL)
    return f"worker {pid}, {_whereabouts(ground)}"


def kill_worker_saving_checkpoint(ground: Ground) -> str | None:
    """Kill the worker while a checkpoint is there that is not valid yet."""

    def is_saving(task: str) -> bool:
        folder = ground.home.task(task) / "checkpoints"
        found = [*folder.glob("checkpoint-*"), *folder.glob(".writing")]
        return any(not (one / "manifest.json").exists() for one in found)

    return _kill_at(ground, is_saving, 0.02)


def kill_worker_saving_adapter(ground: Ground) -> str | None:
    """Kill the worker between the first file of the adapter and a little after its last."""
    if not _whereabouts(ground).startswith(("answer", "stop_tested", "saving")):
        return None
    return _kill_at(ground, lambda task: ground.home.partial_adapter(task).exists(), 0.03)


def _kill_at(ground: Ground, moment: Callable[[str], bool], after: float) -> str | None:
    """Wait for a moment of the task under way, and kill its worker within ``after`` seconds."""
    task, pid = ground.current(), ground.worker()
    if task is None or pid is None or not ground.may_interrupt():
        return None
    deadline = time.monotonic() + _MOMENT_SECONDS
    while not moment(task):
        if time.monotonic() > deadline:
            return None
        time.sleep(0.0005)
    time.sleep(ground.random.random() * after)
    ground.interrupts()
    return f"worker {pid}" if send(pid, signal.SIGKILL) else None


def end_worker(ground: Ground) -> str | None:
    """Ask the worker to stop: it saves a checkpoint, and the task goes on from there."""
    pid = ground.worker()
    if pid is None:
        return None
    send(pid, signal.SIGTERM)
    return f"worker {pid}, {_whereabouts(ground)}"


def stop_worker(ground: Ground) -> str | None:
    """Stop the worker for up to two seconds."""
    pid = ground.worker()
    if pid is None:
        return None
    seconds = ground.random.uniform(0.1, 2.0)
    ground.later(seconds, lambda: send(pid, signal.SIGCONT))
    send(pid, signal.SIGSTOP)
    return f"worker {pid} for {seconds:.1f} s"


def cut_power(ground: Ground) -> str | None:
    """Kill everything that belongs to the home at once."""
    pids = [*ground.workers(), *([pid] if (pid := ground.server()) else [])]
    if not pids or not ground.may_interrupt():
        return None
    ground.interrupts()
    where = _whereabouts(ground)
    for pid in pids:
        send(pid, signal.SIGKILL)
    return f"{len(pids)} processes, {where}"


def second_server(ground: Ground) -> str:
    """Start a server, whether or not there is one."""
    child = ground.start(sys.executable, "-P", "-c", _SERVE, ground.home.root)
    return f"process {child.pid}"


def second_worker(ground: Ground) -> str | None:
    """Start a worker on a task that one has already."""
    task = ground.current()
    if task is None or ground.worker() is None:
        return None
    spec = spec_of(ground, task)
    child = ground.start(sys.executable, "-P", "-c", _WORK, spec.model_dump_json())
    return f"process {child.pid} on {task}"


def spec_of(ground: Ground, task: str) -> TaskSpec:
    """Make what the engine gives to the task's worker."""
    home, folder = ground.home, ground.home.task(task)
    name = f"task-{ground.tasks.index(task)}"
    return TaskSpec(
        task_id=task,
        task_name=name,
        plan=Plan.load(folder),
        folder=folder,
        output=home.adapter(name),
        partial=home.partial_adapter(task),
        cache=home.encoded,
    )


def _whereabouts(ground: Ground) -> str:
    """Tell what the task under way did last."""
    task = ground.current()
    events = ground.events(task) if task else []
    if not events:
        return "before its first event"
    last = events[-1]
    step = getattr(last, "step", "")
    return f"{getattr(last, 'phase', last.type)} {step}".strip()
