"""What a worker reports: one frozen object an event, one JSON line each in the journal."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Phase = Literal["preparing", "loading", "training", "answering", "saving"]


class _Event(BaseModel):
    """What every event has: its place in the journal and when it happened."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seq: int = 0
    """Counted from 1 within a task, without a gap; the journal gives it."""
    time: float = Field(default_factory=time.time)
    """Seconds since the epoch."""


class TaskStarted(_Event):
    """A worker took the task up, for the first time or again."""

    type: Literal["task_started"] = "task_started"
    pid: int
    device: str
    resumed_from: int = 0
    """The checkpoint's optimizer step; 0 where it starts anew."""
    boot: str = ""
    """Which run of the machine this is; another one later means that it was restarted."""


class PhaseEntered(_Event):
    """The worker turned to the next part of its work."""

    type: Literal["phase_entered"] = "phase_entered"
    phase: Phase


class RowsEncoded(_Event):
    """So many rows are rendered, tokenized and masked; told every few seconds."""

    type: Literal["rows_encoded"] = "rows_encoded"
    rows: int
    of: int
    """Rows that can train."""


class DatasetPrepared(_Event):
    """All rows are rendered, tokenized and masked."""

    type: Literal["dataset_prepared"] = "dataset_prepared"
    train_rows: int
    eval_rows: int
    tokens: int
    trained_tokens: int
    rows_cut: int
    tokens_cut: int
    rows_left_out: int = 0
    """Rows with faults, and rows of whose answer nothing could be trained."""


class MemoryProbed(_Event):
    """The longest real batch was run once, forward and backward, before the first step."""

    type: Literal["memory_probed"] = "memory_probed"
    tokens: int
    """Of the batch, padding included."""
    trained: int
    """Of those, tokens that the loss is computed on."""
    gradient_checkpointing: bool = False
    """Whether activations were computed twice."""
    predicted: int
    """Bytes that the plan expects at the peak."""
    measured: int
    """Bytes at the peak of this step, with the optimizer's state that is yet to come."""
    fixed: int
    """Of ``measured``, bytes that were there before the step."""
    free: int
    """Bytes that were free for this process, its own included."""


class MicroBatchHalved(_Event):
    """Memory ran out: fewer tokens go through at once from now on, more often for each step."""

    type: Literal["micro_batch_halved"] = "micro_batch_halved"
    step: int
    """Optimizer steps done; the one under way is made again from its start."""
    tokens: int
    """Tokens in one forward pass from now on, at most."""


class RolledBack(_Event):
    """Loss or gradient were no number any more: back to a checkpoint, with a lower rate."""

    type: Literal["rolled_back"] = "rolled_back"
    step: int
    to_step: int
    row: int
    """The dataset's row that did it, counted from 1; 0 where no single one does."""
    learning_rate: float


class StepLogged(_Event):
    """One optimizer step is done."""

    type: Literal["step_logged"] = "step_logged"
    step: int
    max_steps: int
    epoch: float
    loss: float
    learning_rate: float
    grad_norm: float | None
    """Before clipping; ``None`` where it was infinite and the loss scaler skipped the step."""
    tokens: int
    """Tokens in this step, prompts included and padding not."""
    seconds: float
    """How long this step took."""
    tokens_left: int = 0
    """Tokens of all steps that are still to come, evaluations not counted."""
    eval_tokens_left: int = 0
    """Tokens of all evaluations that are still to come."""


class Evaluated(_Event):
    """The loss on the held-out rows was measured."""

    type: Literal["evaluated"] = "evaluated"
    step: int
    eval_loss: float
    tokens: int = 0
    """Tokens that were evaluated."""
    seconds: float = 0.0


class CheckpointSaved(_Event):
    """A checkpoint is complete on disk."""

    type: Literal["checkpoint_saved"] = "checkpoint_saved"
    step: int
    path: str


class StoppedEarly(_Event):
    """The training ended before its last step, and what it has learned is the result."""

    type: Literal["stopped_early"] = "stopped_early"
    step: int
    asked: bool = False
    """Whether the user asked for it; else the held-out loss got no better."""


class BestKept(_Event):
    """The checkpoint with the lowest held-out loss became the result."""

    type: Literal["best_kept"] = "best_kept"
    step: int
    eval_loss: float


class StopTested(_Event):
    """The adapter answered held-out questions: does it end its answers?"""

    type: Literal["stop_tested"] = "stop_tested"
    asked: int
    ended: int
    """Answers that ended by themselves."""
    limit: int
    """Tokens after which an answer counts as endless."""


class AdapterSaved(_Event):
    """The finished adapter is complete on disk."""

    type: Literal["adapter_saved"] = "adapter_saved"
    path: str
    size_bytes: int


class AnswersCompared(_Event):
    """One question was answered by the base and by the adapter, greedily."""

    type: Literal["answers_compared"] = "answers_compared"
    question: str
    reference: str
    """The dataset's own answer."""
    base_answer: str
    adapter_answer: str


class SampleAnswered(_Event):
    """The adapter answered one and the same question in mid-training, greedily."""

    type: Literal["sample_answered"] = "sample_answered"
    step: int
    epoch: float
    question: str
    answer: str
    reference: str = ""
    """The dataset's own answer, or its beginning."""
    seconds: float = 0.0
    """How long that took; no part of any step."""


class ReportMade(_Event):
    """The adapter was judged; the report lies in the task's folder."""

    type: Literal["report_made"] = "report_made"
    judged_on: Literal["held-out", "training"]
    base_loss: float
    adapter_loss: float
    advice: str
    seconds: float = 0.0
    """How long it took to make."""


class ReportFailed(_Event):
    """The adapter could not be judged; it is none the worse for it."""

    type: Literal["report_failed"] = "report_failed"
    reason: str


class TaskStopped(_Event):
    """The worker stopped to be gone on with later: it was asked to, or the disk is full."""

    type: Literal["task_stopped"] = "task_stopped"
    step: int
    """Of the newest checkpoint."""
    disk_full: bool = False


class TaskCompleted(_Event):
    """The training is done and the adapter is saved."""

    type: Literal["task_completed"] = "task_completed"
    seconds: float
    """From this attempt's start to here."""
    train_loss: float
    """Of the last epoch's steps, averaged."""
    peak_memory: int
    """Bytes: of the GPU, or of the worker process where there is none."""


class TaskFailed(_Event):
    """The worker gave up."""

    type: Literal["task_failed"] = "task_failed"
    title: str
    message: str
    hint: str = ""


Event = Annotated[
    TaskStarted
    | PhaseEntered
    | RowsEncoded
    | DatasetPrepared
    | MemoryProbed
    | MicroBatchHalved
    | RolledBack
    | StepLogged
    | Evaluated
    | CheckpointSaved
    | StoppedEarly
    | BestKept
    | StopTested
    | AdapterSaved
    | AnswersCompared
    | SampleAnswered
    | ReportMade
    | ReportFailed
    | TaskStopped
    | TaskCompleted
    | TaskFailed,
    Field(discriminator="type"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
