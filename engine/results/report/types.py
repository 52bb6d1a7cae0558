"""A report: what a training was worth, and everything that it takes to do it again."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

FILE = "report.json"
"""The report in a task's folder and beside its adapter; ``report.md`` is the same in prose."""


class Scores(BaseModel):
    """How well a model foresees the answers of the judged rows."""

    model_config = ConfigDict(frozen=True)

    loss: float
    """Mean negative log-likelihood of a trained token, natural logarithm."""
    perplexity: float
    token_accuracy: float
    """Share of the trained tokens that the model finds the likeliest, from 0 to 1."""


class JudgedAnswer(BaseModel):
    """One question, the dataset's answer, and what base and adapter say, greedily."""

    model_config = ConfigDict(frozen=True)

    question: str
    reference: str
    base: str
    adapter: str
    base_chrf: float
    """Likeness to the reference in characters (chrF, 0 to 100)."""
    adapter_chrf: float
    short: bool
    """Whether the reference is so short that it is to be met exactly."""
    base_exact: bool = False
    adapter_exact: bool = False
    ended: bool
    """Whether the adapter's answer ended by itself."""


class SampleThen(BaseModel):
    """What the adapter answered to the sample's question after so many steps."""

    model_config = ConfigDict(frozen=True)

    step: int
    epoch: float
    answer: str


class Point(BaseModel):
    """A loss after so many steps."""

    model_config = ConfigDict(frozen=True)

    step: int
    loss: float


class Report(BaseModel):
    """What a finished training was worth."""

    model_config = ConfigDict(frozen=True)

    task_id: str
    task_name: str
    base_model: str
    created_at: float
    """Seconds since the epoch."""
    seconds: float
    """How long the task took, from its start (or its last resumption) to the report."""
    judged_on: Literal["held-out", "training"]
    """Which rows were judged: without held-out ones, some of those it was trained on."""
    judged_rows: int
    judged_tokens: int = 0
    """Trained tokens of those rows."""
    base: Scores
    adapter: Scores
    answers: tuple[JudgedAnswer, ...]
    base_chrf: float | None
    """Mean over the answers; ``None`` without any."""
    adapter_chrf: float | None
    exact_of: int
    """Answers with a short reference."""
    base_exact: int
    adapter_exact: int
    ended: int
    """Answers of the adapter that ended by themselves, of those in ``asked``."""
    asked: int
    longest_answer: int = 0
    """Tokens after which an answer counts as endless."""
    best_step: int = 0
    """The step whose weights are the result: that of the lowest held-out loss, or the last."""
    steps: int = 0
    """Optimizer steps that were trained."""
    train_loss: float = 0.0
    """Of the last epoch's steps, averaged."""
    train_curve: tuple[Point, ...]
    """Down-sampled to at most some hundreds of points."""
    eval_curve: tuple[Point, ...]
    overfitting: Literal["none", "slight", "strong", "unknown"]
    advice: str
    """What the curves, the answers and the stop test say should be done; one sentence or two."""
    sample_question: str = ""
    samples: tuple[SampleThen, ...] = ()
    training_params: dict[str, Any]
    dataset_file: str
    dataset_type: str
    dataset_sha256: str
    dataset_rows: int
    mapping: dict[str, str] = {}
    """Which column holds which field, whether the user said so or it was found."""
    leave_out: bool = False
    started_from: str = ""
    """The adapter that the training started from; or empty."""
    device: str
    chosen_device: str = ""
    """What the user chose to compute on: a card's UUID, or ``cpu``; empty where the plan chose."""
    peak_memory: int
    versions: dict[str, str]
