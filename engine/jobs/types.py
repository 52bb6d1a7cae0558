"""A job: what it is, how far it is, and what came of it."""

from __future__ import annotations

import time
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.results.export.types import DeployRequest, Exported, ExportRequest

JobKind = Literal["export", "deploy"]
JobState = Literal["running", "completed", "failed", "cancelled"]


class Job(BaseModel):
    """A job as clients see it, at one moment."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: JobKind
    title: str
    """What is made of what, as ``my-first as gguf q8_0``."""
    task_id: str = ""
    """The task whose adapter it is about; empty for other adapters."""
    state: JobState = "running"
    stage: str = ""
    """What it is doing, in a few words."""
    progress: float | None = None
    """Share of the whole that is done, from 0 to 1; ``None`` where it is not known."""
    created_at: float = Field(default_factory=time.time)
    """Seconds since the epoch."""
    ended_at: float | None = None
    error_title: str = ""
    message: str = ""
    """Why it failed, in a sentence; empty where it did not."""
    hint: str = ""
    """What to do next; empty where it did not fail."""
    request: ExportRequest | DeployRequest | None = None
    """What was asked for, so that the same can be asked for once more."""
    exported: Exported | None = None
    """What was made, once completed, and what the gate found, also where it refused."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state != "running"
