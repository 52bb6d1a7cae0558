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


class StepLogged(_Event):
    """One optimizer step is done."""

    type: Literal["step_logged"] = "step_logged"
    step: int
    max_steps: int
    epoch: float
    loss: float
    learning_rate: float
    grad_norm: float
    tokens: int
    """Tokens in this step, prompts included and padding not."""
    seconds: float
    """How long this step took."""


class Evaluated(_Event):
    """The loss on the held-out rows was measured."""

    type: Literal["evaluated"] = "evaluated"
    step: int
    eval_loss: float


class CheckpointSaved(_Event):
    """A checkpoint is complete on disk."""

    type: Literal["checkpoint_saved"] = "checkpoint_saved"
    step: int
    path: str


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


class TaskStopped(_Event):
    """The worker stopped because it was asked to."""

    type: Literal["task_stopped"] = "task_stopped"
    step: int


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
    | StepLogged
    | Evaluated
    | CheckpointSaved
    | AdapterSaved
    | AnswersCompared
    | TaskStopped
    | TaskCompleted
    | TaskFailed,
    Field(discriminator="type"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
