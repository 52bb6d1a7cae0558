"""A task as a screen shows it now: its record and what its events add up to."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from engine.tasks.record import TaskRecord

SPARK_POINTS = 60


class TaskView(BaseModel):
    """A task's record with its live figures; one frozen object that crosses to a client."""

    model_config = ConfigDict(frozen=True)

    task: TaskRecord
    """With ``progress``, ``current_epoch`` and ``message`` as they are now."""
    phase: str = ""
    """The worker's present phase; empty while no worker has the task."""
    rows_encoded: int = 0
    """While the dataset is prepared, how many rows are done."""
    step: int = 0
    max_steps: int = 0
    loss: float | None = None
    losses: tuple[float, ...] = ()
    """The last losses, at most ``SPARK_POINTS``."""
    seconds_left: float | None = None
    """From measured steps, the first ones left out; ``None`` until there are some."""
    seconds_left_range: tuple[float, float] | None = None
    """Between which bounds half of the measured steps would put ``seconds_left``."""
    memory_predicted: int | None = None
    """Bytes that the plan expects at the peak; ``None`` until the probe has run."""
    memory_measured: int | None = None
    """Bytes at the measured peak of the probe."""
    tokens_per_second: float | None = None
    device: str = ""
    last_seq: int = 0
    """Of the newest event counted in."""


class TasksUpdate(BaseModel):
    """What changed since the last update; the first ones after connecting hold every task."""

    model_config = ConfigDict(frozen=True)

    views: tuple[TaskView, ...] = ()
    """New and changed tasks."""
    removed: tuple[str, ...] = ()
    """Ids of deleted tasks."""
    more: bool = False
    """Whether more of the tasks that there are at connecting follow: thousands come in parts."""
