"""What crosses the engine's interface beside records, plans and events."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from engine.text import check_utf8

PREFIX = "/api/simple-lora"
Text = Annotated[str, AfterValidator(check_utf8)]


STREAM_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": "An error, before the stream has begun.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
    }
    for status in ("4XX", "507")
}
"""What a stream's route declares: without it, FastAPI would describe its errors as events."""


class PathRequest(BaseModel):
    """Names a file on the engine's machine."""

    path: Text


class ModelScanRequest(BaseModel):
    """Where to look for adapters, models and GGUF files."""

    model_config = ConfigDict(extra="forbid")

    path: Text = ""
    """A folder; empty for the home and the Hugging Face cache."""


class PullRequest(BaseModel):
    """Names a base model to fetch: ``demo`` or a hub id."""

    model: Text


class PlanRequest(BaseModel):
    """What a plan is made from."""

    model_config = ConfigDict(extra="forbid")

    dataset_file: Text
    base_model: Text = ""
    """May be empty where ``adapter`` names one that has its base."""
    adapter: Text = ""
    """A finished task, or an adapter of the home, that the training starts from; or empty."""
    overrides: dict[str, Any] = Field(default_factory=dict)
    mapping: dict[str, str] = Field(default_factory=dict)
    """Which column holds which field of a row, where the user says so."""
    leave_out: bool = False
    """Train without the rows that have faults, however many they are."""
    device: Text = ""
    """A device of the engine's machine, by number, name or UUID, or ``cpu``; empty or ``auto`` for
    the one that the plan takes by itself. A plan can also be made for a card that is not here, as
    ``RTX 3060 6GB`` or ``memory=24GB,capability=8.9``."""
    preset: Text = ""
    """A named preset whose values go before the rules, and after ``overrides``; or empty."""


class TrainRequest(PlanRequest):
    """What a task is made from."""

    task_name: Text


class DatasetInfo(BaseModel):
    """A dataset in the home, or a sample that came with the program."""

    name: str
    path: str
    size_bytes: int
    sample: bool
    dataset_type: str | None
    """``None`` where the file cannot be read; ``problem`` says why."""
    rows: int
    problem: str = ""
    recent: bool = False
    """Whether a task was made of it lately, and it lies elsewhere."""


class EngineInfo(BaseModel):
    """The state of the engine server."""

    version: str
    pid: int
    home: str
    started_at: float
    tasks_running: int
    tasks_pending: int
    spare_ready: bool
    """A worker with its imports done is waiting."""
    network: str = ""
    """Where it offers the interface over the network, as ``127.0.0.1:8600``; or empty."""
    stays: bool = False
    """Whether it was started to stay, in the foreground, and does not end when idle."""
    unsaved: int = 0
    """Open datasets with changes that would be lost if the server ended."""


class ErrorBody(BaseModel):
    """An error as the interface gives it."""

    title: str
    message: str
    hint: str = ""
