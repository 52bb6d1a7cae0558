"""What a benchmark asks of a child process, and what it gets back; one JSON file each way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

from engine.tasks.events import Event
from engine.train.spec import TaskSpec


class _Job(BaseModel):
    """What every job has."""

    result: Path
    """Where the outcome is written, whole, once the job is done."""


class TrainJob(_Job):
    """Train a task with LoRADeck."""

    kind: Literal["train"] = "train"
    spec: TaskSpec
    test: Path | None = None
    """Rows on which the finished adapter's loss is measured, after all else."""


class TrlJob(_Job):
    """Train with TRL's ``SFTTrainer``, or with Unsloth's version of it."""

    kind: Literal["trl", "unsloth"] = "trl"
    model: Path
    dataset: Path
    output: Path
    """Where the adapter is saved."""
    arguments: dict[str, bool | int | float | str]
    """Of ``SFTConfig``; what is not named stays at TRL's default."""
    lora: dict[str, int | float | str]
    """Of ``LoraConfig``."""
    use_4bit: bool = False
    cores: int


class FloorJob(_Job):
    """Run the frozen base forward, twice over each row: what no training can do without."""

    kind: Literal["floor"] = "floor"
    model: Path
    dataset: Path
    dtype: str
    passes: int
    """Epochs; each counts as two passes."""
    cores: int


class LossJob(_Job):
    """Measure the loss of adapters on rows that they were not trained on."""

    kind: Literal["loss"] = "loss"
    model: Path
    dataset: Path
    adapters: list[Path | None]
    """``None`` is the base without any."""
    cores: int


Job = Annotated[TrainJob | TrlJob | FloorJob | LossJob, Field(discriminator="kind")]
JOBS: TypeAdapter[list[Job]] = TypeAdapter(list[Job])


class Outcome(BaseModel):
    """What came of a job."""

    cpu_seconds: float = 0.0
    """Of the training alone: imports, loading, tokenizing and answering are not counted."""
    wall_seconds: float = 0.0
    peak_memory: int = 0
    """Bytes: of the process as a whole, or of the GPU's allocator where one was used."""
    events: list[Event] = []
    """That LoRADeck reported."""
    losses: list[float] = []
    """A mean over the answers' tokens for each adapter that was measured."""
