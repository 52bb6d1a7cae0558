"""The task record: one training run as the store keeps it, and the states it passes through."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import ConflictError, LoraDeckError
from engine.language import mark, tr
from engine.text import visible


class Status(StrEnum):
    """The state of a task."""

    PENDING = mark("pending")
    RUNNING = mark("running")
    PAUSED = mark("paused")
    COMPLETED = mark("completed")
    FAILED = mark("failed")
    CANCELLED = mark("cancelled")

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will happen to the task by itself."""
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


# A running task goes back to pending when its worker was lost: it resumes from its checkpoint. So
# do failed and cancelled ones, where the user asks for it.
_TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.RUNNING, Status.PAUSED, Status.CANCELLED, Status.FAILED}),
    Status.RUNNING: frozenset(
        {Status.PENDING, Status.PAUSED, Status.COMPLETED, Status.FAILED, Status.CANCELLED}
    ),
    Status.PAUSED: frozenset({Status.PENDING, Status.CANCELLED, Status.FAILED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset({Status.PENDING}),
    Status.CANCELLED: frozenset({Status.PENDING}),
}


Request = Literal["", "pause", "cancel", "discard", "finish"]
"""``cancel`` keeps the checkpoints, ``discard`` does not; ``finish`` ends the training early and
keeps what it has learned as the result."""


class TaskRecord(BaseModel):
    """One training run. Fields that a newer version added are kept as they are."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str = Field(default_factory=lambda: secrets.token_hex(4))
    task_name: str
    base_model: str
    dataset_file: str
    dataset_type: str
    output_path: str
    """The folder of the finished adapter."""
    training_params: dict[str, Any]
    status: Status = Status.PENDING
    progress: float = Field(0.0, ge=0.0, le=100.0)
    """Per cent of the optimizer steps done."""
    current_epoch: float = 0.0
    message: str = ""
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    completed_at: datetime | None = None
    final_loss: float | None = None
    """Of the last epoch, once completed."""
    eval_loss: float | None = None
    """On the held-out rows: the last one measured, of a completed task that of its result."""
    requested: Request = ""
    """What the user has asked of a running task that it has not done yet."""
    chosen_device: str = ""
    """What the user chose to compute on: a card's UUID, or ``cpu``; empty where the plan chose."""
    device_uuid: str = ""
    """Of the GPU that it was started on last: not always the one it was planned for."""
    waiting_words: str = ""
    """The end of the message, where it says for what a pending task waits."""
    disk_stops: int = 0
    """How often the disk was full since a checkpoint was last written."""
    waits_for_disk: bool = False
    """Whether a paused task goes on by itself once there is room on the disk."""
    priority: int = Field(0, ge=-100, le=100)
    """Pending tasks of a higher one start first."""
    place: float | None = None
    """Among pending tasks of one priority, the lowest starts first; ``None`` goes by age."""
    interruptions: int = 0
    """How often the worker was lost since a checkpoint was last written."""
    launch_seq: int = 0
    """Of the newest event when a worker was last given the task: one above it is that worker's."""
    resume_step: int = 0
    """The newest checkpoint's optimizer step when the worker was last lost."""

    @property
    def seconds(self) -> float | None:
        """From its start to its end, pauses included; ``None`` until both are known."""
        if self.started_at is None or self.completed_at is None:
            return None
        return (self.completed_at - self.started_at).total_seconds()

    def require_adapter(self) -> None:
        """Refuse a task that has not made its adapter.

        Raises:
            ConflictError: It is not completed.
        """
        if self.status is not Status.COMPLETED:
            raise ConflictError(
                tr("No adapter yet"),
                tr(
                    "'{name}' is {state}: it has made no adapter.",
                    name=self.task_name,
                    state=tr(self.status),
                ),
                tr("Wait for it, or end it early: loradeck tasks finish {id}", id=self.id),
            )

    @property
    def message_but_waiting(self) -> str:
        """What happened to the task, without for what it waits or has waited."""
        return self.message.removesuffix(self.waiting_words).rstrip()

    def moved(self, status: Status, message: str = "", **changes: Any) -> TaskRecord:
        """Return the record in another state, with the times that go with it.

        Raises:
            ConflictError: The state cannot follow the present one.
        """
        if status not in _TRANSITIONS[self.status]:
            raise self._refusal(status)
        now = datetime.now(UTC)
        if status is Status.RUNNING and self.started_at is None:
            changes["started_at"] = now
        changes["completed_at"] = now if status.ended else None
        words = {"message": message, "waiting_words": ""}
        return self.model_copy(update={"status": status, **words, **changes})

    def _refusal(self, status: Status) -> ConflictError:
        """Say that a state cannot follow the present one."""
        names = {"name": self.task_name, "state": tr(self.status), "next": tr(status)}
        words = (
            tr(
                "The task '{name}' has ended already: it is {state}, and cannot become {next}.",
                **names,
            )
            if self.status.ended
            else tr("The task '{name}' is {state}, and cannot become {next}.", **names)
        )
        return ConflictError(tr("Not possible now"), words)


NAME_LIMIT = 100
_NAME_BYTES = 240  # most file systems take 255; temporary names beside it need a few


def check_task_name(name: str) -> str:
    """Check a name that becomes a folder under ``models/lora/``.

    Returns:
        The name without surrounding blanks.

    Raises:
        LoraDeckError: Empty, over 100 characters, with path parts or control characters in it.
    """
    # One form for what looks the same: some disks do not tell them apart.
    name = unicodedata.normalize("NFC", name.strip())
    hint = tr("Use letters, digits, blanks and - _ . , for example: support-bot-1")
    if not name:
        raise LoraDeckError(tr("Name missing"), tr("The task needs a name."), hint)
    if len(name) > NAME_LIMIT or len(name.encode(errors="replace")) > _NAME_BYTES:
        raise LoraDeckError(
            tr("Name too long"),
            tr(
                "The name has {count} characters; at most {most} ({bytes} bytes) fit.",
                count=len(name),
                most=NAME_LIMIT,
                bytes=_NAME_BYTES,
            ),
            tr("Choose a shorter one."),
        )
    if any(sign in name for sign in "/\\:") or name.startswith(".") or visible(name) != name:
        raise LoraDeckError(
            tr("Name not usable"),
            tr(
                "'{name}' has a path, a leading dot or a control character in it.",
                name=visible(name),
            ),
            hint,
        )
    if any(sign in name for sign in "\t\n") or not name.isprintable():
        raise LoraDeckError(
            tr("Name not usable"), tr("The name has unprintable characters in it."), hint
        )
    return name
