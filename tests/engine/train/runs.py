"""Whole trainings in this process, over small models and datasets."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, TypeVar

from engine.data.inspect import inspect_dataset
from engine.data.measure import measure_in_process
from engine.models.config import read_shape
from engine.models.types import ModelInfo
from engine.plan.hardware import best_device
from engine.plan.planner import make_plan
from engine.train.spec import TaskSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.plan.types import Plan
    from engine.tasks.events import Event

Kind = TypeVar("Kind")
SETTINGS = {"num_epochs": 2, "save_steps": 5, "eval_rows": 8, "dtype": "float32"}
"""Of a run of some sixteen steps over forty rows."""


class Kept:
    """A reporter that keeps every event.

    Args:
        stop_when: Asked after each event whether the training should stop.
        finish_when: Asked after each event whether it should end and keep its result.
    """

    def __init__(
        self,
        stop_when: Callable[[Event], bool] = lambda _: False,
        finish_when: Callable[[Event], bool] = lambda _: False,
    ) -> None:
        self.events: list[Event] = []
        self.durable = 0
        """How many of the events were made durable."""
        self.stop_requested = self.finish_requested = False
        self._stop_when, self._finish_when = stop_when, finish_when

    def report(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)
        self.stop_requested = self.stop_requested or self._stop_when(event)
        self.finish_requested = self.finish_requested or self._finish_when(event)

    def sync(self) -> None:
        """Count the events so far as durable."""
        self.durable = len(self.events)

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Give the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


def write_rows(
    path: Path, count: int, answer: Callable[[int], str] = lambda n: f"A{n}" * 3
) -> Path:
    """Write a dataset of prompts of several lengths with their completions."""
    rows = ({"prompt": f"Q{n} " * (1 + n % 5), "completion": answer(n)} for n in range(count))
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def plan_of(dataset: Path, model: Path, *, leave_out: bool = False, **overrides: Any) -> Plan:
    """Plan a training as the engine would."""
    found, shape = inspect_dataset(dataset), read_shape(model)
    info = ModelInfo(
        name=model.name, source="folder", state="ready", path=str(model), size_bytes=1, shape=shape
    )
    return make_plan(
        inspection=found,
        lengths=asyncio.run(measure_in_process(dataset, model, inspection=found)),
        model=info,
        # One thread: so small a model gains nothing from more, and waits for each of them
        device=best_device().model_copy(update={"cores": 1}),
        overrides=overrides,
        leave_out=leave_out,
        disk_free=10**12,
        dataset_file=str(dataset),
        base_model=str(model),
    )


def spec_of(plan: Plan, folder: Path) -> TaskSpec:
    """Make a task of a plan, with everything below one folder."""
    task = folder / "task"
    task.mkdir(parents=True, exist_ok=True)
    return TaskSpec(
        task_id="a",
        task_name="a",
        plan=plan,
        folder=task,
        output=folder / "adapter",
        partial=folder / "partial",
        cache=folder / "cache",
    )
