"""What a task's events add up to: a pure fold, so that server and screens agree."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import TYPE_CHECKING

from engine.tasks.events import (
    CheckpointSaved,
    Event,
    PhaseEntered,
    RowsEncoded,
    StepLogged,
    TaskCompleted,
    TaskFailed,
    TaskStarted,
    TaskStopped,
)
from engine.tasks.view import SPARK_POINTS, TaskView

if TYPE_CHECKING:
    from engine.tasks.record import TaskRecord

# The first steps of a run allocate and tune; their times say nothing about the rest.
_SLOW_STEPS = 2
_TIMED_STEPS = 50

Outcome = TaskCompleted | TaskFailed | TaskStopped


class Progress:
    """The live figures of one task."""

    def __init__(self) -> None:
        self.phase = ""
        self.device = ""
        self.rows_encoded = 0
        self.step = 0
        self.max_steps = 0
        self.epoch = 0.0
        self.loss: float | None = None
        self.last_seq = 0
        self.checkpoint = 0
        self.outcome: Outcome | None = None
        """How the present attempt ended, once it has."""
        self._losses: deque[float] = deque(maxlen=SPARK_POINTS)
        self._timed: deque[StepLogged] = deque(maxlen=_TIMED_STEPS)
        self._skipped = 0

    def apply(self, event: Event) -> None:
        """Count one event in."""
        self.last_seq = event.seq
        match event:
            case TaskStarted():
                self._begin(event)
            case PhaseEntered():
                self.phase, self.rows_encoded = event.phase, 0
            case RowsEncoded():
                self.rows_encoded = event.rows
            case StepLogged():
                self._advance(event)
            case CheckpointSaved():
                self.checkpoint = event.step
            case TaskCompleted() | TaskFailed() | TaskStopped():
                self.outcome = event
                self.phase = ""

    def view(self, task: TaskRecord) -> TaskView:
        """Lay the live figures over a record."""
        running = not task.status.ended
        share = 100.0 * self.step / self.max_steps if self.max_steps else 0.0
        live = {
            "progress": round(min(share, 100.0), 1) if running else task.progress,
            "current_epoch": self.epoch,
        }
        return TaskView(
            task=task.model_copy(update=live),
            phase=self.phase if running else "",
            rows_encoded=self.rows_encoded,
            step=self.step,
            max_steps=self.max_steps,
            loss=self.loss,
            losses=tuple(self._losses),
            seconds_left=self._seconds_left() if running else None,
            tokens_per_second=self._tokens_per_second(),
            device=self.device,
            last_seq=self.last_seq,
        )

    def _begin(self, event: TaskStarted) -> None:
        """Start an attempt: times of an earlier process do not tell this one's."""
        self.device = event.device
        for _ in range(min(len(self._losses), self.step - event.resumed_from)):
            self._losses.pop()  # these steps are trained again
        self.step = event.resumed_from
        self.outcome = None
        self._timed.clear()
        self._skipped = 0

    def _advance(self, event: StepLogged) -> None:
        """Count one optimizer step in."""
        self.step, self.max_steps, self.epoch = event.step, event.max_steps, event.epoch
        self.loss = event.loss
        self._losses.append(event.loss)
        if self._skipped < _SLOW_STEPS:
            self._skipped += 1
        else:
            self._timed.append(event)

    def _seconds_left(self) -> float | None:
        """Expect the median of the measured steps for each that is left."""
        if not self._timed or self.phase != "training":
            return None
        return median(event.seconds for event in self._timed) * (self.max_steps - self.step)

    def _tokens_per_second(self) -> float | None:
        """Divide the tokens of the measured steps by their time."""
        seconds = sum(event.seconds for event in self._timed)
        return sum(event.tokens for event in self._timed) / seconds if seconds else None
