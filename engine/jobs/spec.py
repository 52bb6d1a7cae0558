"""What a job's process is given, and the ways in which it does not come to its end."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import LoraDeckError
from engine.jobs.types import Job, JobKind
from engine.language import tr
from engine.results.export.types import DeployRequest, ExportRequest

if TYPE_CHECKING:
    from engine.results.export.types import Exported

FILE = "job.json"
"""A job's specification in its folder."""


class JobSpec(BaseModel):
    """A job as it was asked for, with everything resolved that the server knows."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=lambda: secrets.token_hex(4))
    kind: JobKind
    title: str
    """What is made of what, as ``my-first as gguf q8_0``."""
    task_id: str = ""
    created_at: float = Field(default_factory=time.time)
    """Seconds since the epoch."""
    inputs: dict[str, Any]
    """What its kind of work needs; that work knows the form."""
    request: ExportRequest | DeployRequest | None = None
    """What the user asked for."""
    target: str = ""
    """The path that the result gets once it is whole; empty where none is made."""
    memory: int = 0
    """Bytes that its process will hold at most, as far as that can be told."""
    disk: int = 0
    """Bytes that it will write beside the target, all in all."""
    boot: str = ""
    """Which run of the machine it was started in."""
    kills_before: int = 0
    """How often the kernel had killed for lack of memory by then."""

    @property
    def partial(self) -> Path | None:
        """The folder, beside the target, in which it writes; whoever ends the job removes it."""
        return Path(self.target).with_name(f".partial-{self.id}") if self.target else None

    def begun(self) -> Job:
        """Give the job as clients see it before it has done anything."""
        return Job(
            id=self.id,
            kind=self.kind,
            title=self.title,
            task_id=self.task_id,
            request=self.request,
            created_at=self.created_at,
            stage=tr("starting"),
        )


class JobCancelledError(BaseException):
    """The job was asked to end; no ``except Exception`` on its way may swallow that."""


class JobRefusedError(LoraDeckError):
    """The job's result is not handed over, and what was found of it is told.

    Args:
        exported: What would have been made.
    """

    def __init__(self, title: str, message: str, hint: str, exported: Exported) -> None:
        super().__init__(title, message, hint)
        self.exported = exported
