"""Trainings with the same plans that nothing disturbs."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

from engine.tasks.events import Evaluated, StepLogged
from engine.tasks.journal import read_events
from engine.train.worker import run_task
from tests.chaos.process_faults import spec_of
from tests.chaos.processes import HARNESS

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from engine.train.spec import TaskSpec
    from tests.chaos.ground import Ground

ADAPTER = "adapter_model.safetensors"
_SECONDS = 300.0


@dataclass(frozen=True)
class Undisturbed:
    """What a plan comes to."""

    adapter: bytes
    steps: dict[int, StepLogged]
    evaluations: dict[int, Evaluated]


class References:
    """Trains each plan once, in a process of its own beside what is disturbed."""

    def __init__(self, ground: Ground, folder: Path) -> None:
        self._ground, self._folder = ground, folder
        self._running: dict[str, tuple[Path, BaseProcess]] = {}

    def start(self, task: str) -> None:
        """Train a task's plan anew, unless an equal one has been."""
        if (key := self._key(task)) in self._running:
            return
        folder = self._folder / task
        folder.mkdir(parents=True)
        process = multiprocessing.get_context("forkserver").Process(
            target=_train, args=(self._spec(task, folder),)
        )
        process.start()
        HARNESS.add(process.pid or 0)
        self._running[key] = folder, process

    def outcome(self, task: str) -> Undisturbed:
        """Give what a task's plan comes to, once it has come to it."""
        folder, process = self._running[self._key(task)]
        process.join(_SECONDS)
        events = list(read_events(folder))
        return Undisturbed(
            adapter=(folder / "adapter" / ADAPTER).read_bytes(),
            steps={one.step: one for one in events if isinstance(one, StepLogged)},
            evaluations={one.step: one for one in events if isinstance(one, Evaluated)},
        )

    def _key(self, task: str) -> str:
        """Give the same for tasks that must come to the same."""
        plan = spec_of(self._ground, task).plan
        parts = plan.training_params.model_dump(), plan.dataset.sha256, plan.device.cores
        return json.dumps(parts, sort_keys=True)

    def _spec(self, task: str, folder: Path) -> TaskSpec:
        """Make what a worker would be given, with everything below a folder of its own."""
        places = {
            "folder": folder,
            "output": folder / "adapter",
            "partial": folder / "partial",
            "cache": self._folder / "cache",
        }
        return spec_of(self._ground, task).model_copy(update=places)


def _train(spec: TaskSpec) -> None:
    """Train as a worker does, with nobody to tell."""
    run_task(spec, SimpleNamespace(put=lambda _: None))  # type: ignore[arg-type]
