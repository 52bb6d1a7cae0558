"""The scheduler's bench, and another process that holds a task's lock."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engine.plan.parameters import TrainingParams
from engine.plan.types import Memory, Plan
from engine.train.worker import LOCK
from tests.engine.tasks.bench import CPU, Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.home import Home
    from engine.tasks.record import TaskRecord

_HOLD_LOCK = """
import sys
from pathlib import Path
from engine.locks import ProcessLock
print(ProcessLock(Path(sys.argv[1])).acquire(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
async def bench(home: Home, monkeypatch: pytest.MonkeyPatch) -> Bench:
    # What a plan holds is no business of the scheduler's.
    planned = Plan.model_construct(
        device=CPU,
        memory=Memory(parts={}, total=600, free=1000),
        training_params=TrainingParams(),
    )
    monkeypatch.setattr(Plan, "model_validate_json", lambda _: planned)
    monkeypatch.setattr(
        "engine.tasks.scheduler.TaskSpec.__init__",
        lambda self, **fields: object.__setattr__(self, "__dict__", fields),
    )
    return Bench(home)


@pytest.fixture
def hold_lock(home: Home) -> Iterator[Callable[[TaskRecord], subprocess.Popen[str]]]:
    """Have another process hold a task's lock, as a worker does."""
    started: list[subprocess.Popen[str]] = []

    def hold(task: TaskRecord) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _HOLD_LOCK, str(home.task(task.id) / LOCK)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        return process

    yield hold
    for process in started:
        process.kill()
        process.communicate()
