"""What a worker is given: a task's specification, and a way to report and to be stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel, ConfigDict

from engine.plan.types import Plan

if TYPE_CHECKING:
    from engine.tasks.events import Event


class TaskSpec(BaseModel):
    """Everything that a training needs to know; the same wherever it runs."""

    model_config = ConfigDict(frozen=True)

    task_id: str
    task_name: str
    plan: Plan
    folder: Path
    """The task's folder: journal, log, checkpoints."""
    output: Path
    """Where the finished adapter goes."""
    partial: Path
    """Where it is written before; in the same folder, so that a rename moves it."""
    cache: Path
    """Encoded rows, shared with other tasks; may be emptied at any time."""

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.folder / "checkpoints"


class Reporter(Protocol):
    """Takes a training's events; what becomes of them is the starter's business."""

    def report(self, event: Event) -> None:
        """Pass one event on; never blocks."""

    @property
    def stop_requested(self) -> bool:
        """Whether the training should end at the next step."""
