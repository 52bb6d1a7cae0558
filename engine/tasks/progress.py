"""What a task's events add up to: a pure fold, so that server and screens agree."""

from __future__ import annotations

from collections import deque
from statistics import quantiles
from typing import TYPE_CHECKING, NamedTuple

from engine.plan.pacing import EVALUATION
from engine.tasks.events import (
    BestKept,
    CheckpointSaved,
    Evaluated,
    Event,
    MemoryProbed,
    PhaseEntered,
    RolledBack,
    RowsEncoded,
    SampleAnswered,
    StepLogged,
    StopTested,
    TaskCompleted,
    TaskFailed,
    TaskStarted,
    TaskStopped,
)
from engine.tasks.record import Status
from engine.tasks.view import SPARK_POINTS, TaskView

if TYPE_CHECKING:
    from engine.tasks.record import TaskRecord

# The first steps of a run allocate and tune; their times say nothing about the rest.
_SLOW_STEPS = 2
_TIMED_STEPS = 50
STEPS_REMEMBERED = max(SPARK_POINTS, _TIMED_STEPS) + _SLOW_STEPS
"""After so many in a row, nothing tells of the steps before them."""
_FEWEST_FOR_SPREAD = 4
_MOST_BETWEEN = 0.5
"""Of a step's own time, what may be counted beside it."""

Outcome = TaskCompleted | TaskFailed | TaskStopped


class _Timed(NamedTuple):
    """A measured step."""

    tokens: int
    seconds: float


class Progress:
    """The live figures of one task."""

    def __init__(self) -> None:
        self.phase = ""
        self.device = ""
        self.pid, self.boot = 0, ""
        """Of the worker that has the task, or had it last, and of the machine's run."""
        self.rows_encoded = 0
        self.step = 0
        self.max_steps = 0
        self.epoch = 0.0
        self.loss: float | None = None
        self.last_seq = 0
        self.checkpoint = 0
        self.probed: MemoryProbed | None = None
        self.peak = 0
        """Bytes at the peak of a run that has come to its end."""
        self.stop_test: StopTested | None = None
        self.outcome: Outcome | None = None
        """How the present attempt ended, once it has."""
        self._losses: deque[float] = deque(maxlen=SPARK_POINTS)
        self._timed: deque[_Timed] = deque(maxlen=_TIMED_STEPS)
        self._step_ended = 0.0
        self._left = 0, 0
        """Tokens to come, of steps and of evaluations."""
        self.eval_loss: float | None = None
        """On the held-out rows, of the last evaluation or of the checkpoint that was kept."""
        self._evaluated: Evaluated | None = None
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
            case RolledBack():
                self._go_back(event.to_step)
            case CheckpointSaved():
                self.checkpoint = event.step
            case TaskCompleted() | TaskFailed() | TaskStopped():
                self._end(event)
            case _:
                self._note(event)

    def _note(self, event: Event) -> None:
        """Keep what a run has measured."""
        match event:
            case MemoryProbed():
                self.probed = event
            case Evaluated():
                self._evaluated, self.eval_loss = event, event.eval_loss
                self._step_ended += event.seconds
            case SampleAnswered():
                self._step_ended += event.seconds
            case BestKept():
                self.eval_loss = event.eval_loss
            case StopTested():
                self.stop_test = event

    def _end(self, event: Outcome) -> None:
        """End an attempt."""
        self.outcome, self.phase = event, ""
        self.peak = event.peak_memory if isinstance(event, TaskCompleted) else 0

    def view(self, task: TaskRecord) -> TaskView:
        """Lay the live figures over a record."""
        running = task.status is Status.RUNNING
        share = 100.0 * self.step / self.max_steps if self.max_steps else 0.0
        live = {
            "progress": task.progress
            if task.status.ended
            else round(max(0.0, min(share, 100.0)), 1),
            "current_epoch": self.epoch,
            "eval_loss": self.eval_loss,
        }
        return TaskView(
            task=task.model_copy(update=live),
            phase=self.phase if running else "",
            rows_encoded=self.rows_encoded,
            step=self.step,
            max_steps=self.max_steps,
            loss=self.loss,
            losses=tuple(self._losses),
            seconds_left=self._seconds_left(*self.pace()) if running else None,
            seconds_left_range=self._seconds_left_range() if running else None,
            memory_predicted=self.probed.predicted if self.probed else None,
            memory_measured=self.probed.measured if self.probed else None,
            tokens_per_second=self._tokens_per_second(),
            device=self.device,
            last_seq=self.last_seq,
        )

    def _begin(self, event: TaskStarted) -> None:
        """Start an attempt: times of an earlier process do not tell this one's."""
        self.device, self.pid, self.boot = event.device, event.pid, event.boot
        self.outcome = None
        self.checkpoint = event.resumed_from  # what was there before may be gone
        self._go_back(event.resumed_from)

    def _go_back(self, step: int) -> None:
        """Forget the steps that are trained again."""
        for _ in range(min(len(self._losses), self.step - step)):
            self._losses.pop()
        self.step = step
        self._timed.clear()
        self._skipped = 0

    def _advance(self, event: StepLogged) -> None:
        """Count one optimizer step in."""
        self.step, self.max_steps, self.epoch = event.step, event.max_steps, event.epoch
        self.loss = event.loss
        self._losses.append(event.loss)
        between = event.time - self._step_ended - event.seconds
        self._step_ended = event.time
        if self._skipped < _SLOW_STEPS:
            self._skipped += 1
        else:
            # Loading rows and saving checkpoints count, a machine that slept does not
            spent = event.seconds + min(max(0.0, between), _MOST_BETWEEN * event.seconds)
            self._timed.append(_Timed(event.tokens, spent))
            self._left = event.tokens_left, event.eval_tokens_left

    def pace(self) -> tuple[float | None, float | None]:
        """Give the seconds a token takes, in the measured steps and in an evaluation."""
        speed, evaluated = self._tokens_per_second(), self._evaluated
        evaluating = (
            evaluated.seconds / evaluated.tokens if evaluated and evaluated.tokens else None
        )
        return 1 / speed if speed else None, evaluating

    def settled_pace(self) -> tuple[float | None, float | None]:
        """Give the same once enough steps are timed to plan other runs by."""
        return self.pace() if len(self._timed) >= _FEWEST_FOR_SPREAD else (None, None)

    def _seconds_left(self, step: float | None, evaluation: float | None) -> float | None:
        """Expect the tokens that are left to take as long as those that were measured."""
        if not self._timed or step is None or self.phase != "training":
            return None
        evaluating = step * EVALUATION if evaluation is None else evaluation
        tokens, eval_tokens = self._left
        return tokens * step + eval_tokens * evaluating

    def _seconds_left_range(self) -> tuple[float, float] | None:
        """Expect them to go at the pace of the slower and the faster quarter of the steps."""
        paces = [event.seconds / event.tokens for event in self._timed if event.tokens]
        if len(paces) < _FEWEST_FOR_SPREAD:
            return None
        fast, _, slow = quantiles(paces, n=4)
        mean, evaluation = self.pace()
        # A few slow steps, those with a checkpoint, can lift the mean above three quarters of them
        expected = (self._seconds_left(pace, evaluation) for pace in (fast, mean, slow))
        bounds = [seconds for seconds in expected if seconds is not None]
        return (min(bounds), max(bounds)) if bounds else None

    def _tokens_per_second(self) -> float | None:
        """Divide the tokens of the measured steps by their time."""
        seconds = sum(event.seconds for event in self._timed)
        return sum(event.tokens for event in self._timed) / seconds if seconds else None
