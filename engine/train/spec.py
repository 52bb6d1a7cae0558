"""What a worker is given: a task's specification, and a way to report and to be stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel, ConfigDict

from engine.plan.types import Plan

if TYPE_CHECKING:
    from engine.tasks.events import Event


START = "start"
"""The folder, in a task's, of the adapter that its training starts from."""


class StoppedError(Exception):
    """A training ended before it was done, to be gone on with later.

    Args:
        disk_full: Whether it lacks room; else it was asked to.
    """

    def __init__(self, *, disk_full: bool = False) -> None:
        super().__init__("stopped")
        self.disk_full = disk_full


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
    disk_reserve: int = 0
    """Bytes that the run leaves free on the disk: it pauses before it takes them."""
    finish: bool = False
    """Whether the user asked to end the training where it is and keep the result."""

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.folder / "checkpoints"

    @property
    def start(self) -> Path | None:
        """The adapter that the training starts from; ``None`` where it starts anew."""
        return self.folder / START if self.plan.adapter else None


class Reporter(Protocol):
    """Takes a training's events; what becomes of them is the starter's business."""

    def report(self, event: Event) -> None:
        """Pass one event on; never blocks."""

    def sync(self) -> None:
        """Make what was reported survive a power cut."""

    @property
    def stop_requested(self) -> bool:
        """Whether the training should end at the next step, to be gone on with later."""

    @property
    def finish_requested(self) -> bool:
        """Whether it should end at the next step, and what it has learned be the result."""
