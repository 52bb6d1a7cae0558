"""Records and events for tests."""

from __future__ import annotations

from typing import Any

from engine.tasks.events import StepLogged
from engine.tasks.record import TaskRecord


def record(**changes: Any) -> TaskRecord:
    """Make a task record."""
    fields = {
        "task_name": "first",
        "base_model": "demo",
        "dataset_file": "/d/rows.json",
        "dataset_type": "alpaca",
        "output_path": "/h/models/lora/first",
        "training_params": {"lora_rank": 16},
    }
    return TaskRecord(**{**fields, **changes})


def step(number: int, *, of: int = 10, loss: float = 1.0, seconds: float = 2.0) -> StepLogged:
    """Make the event of one optimizer step of 100 tokens."""
    return StepLogged(
        step=number,
        max_steps=of,
        epoch=number / 5,
        loss=loss,
        learning_rate=1e-4,
        grad_norm=1.0,
        tokens=100,
        seconds=seconds,
        tokens_left=100 * (of - number),
    )
