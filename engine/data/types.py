"""What a dataset becomes once it is read: conversations, findings, an inspection."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

DatasetType = Literal["alpaca", "sharegpt"]
Role = Literal["system", "user", "assistant"]
Level = Literal["error", "warning", "note"]


class Message(BaseModel):
    """One turn of a conversation, as chat templates want it."""

    model_config = ConfigDict(frozen=True)

    role: Role
    content: str


class Conversation(BaseModel):
    """One dataset row in normal form."""

    model_config = ConfigDict(frozen=True)

    row: int
    """The row's number in its file, counted from 1."""
    messages: tuple[Message, ...]


class Finding(BaseModel):
    """Something about the rows that the user should know, with what to do."""

    model_config = ConfigDict(frozen=True)

    level: Level
    """An ``error`` refuses the start; ``warning`` and ``note`` are advice."""
    code: str
    """A stable identifier, e.g. ``empty-answer``."""
    message: str
    hint: str
    count: int
    """How many rows are concerned."""
    rows: tuple[int, ...]
    """The first of those rows, counted from 1; at most ten."""


class Inspection(BaseModel):
    """What looking at a dataset file found, before any tokenizer is involved."""

    model_config = ConfigDict(frozen=True)

    path: str
    dataset_type: DatasetType
    rows: int
    findings: tuple[Finding, ...]
    sha256: str
    """Of the file's bytes."""
    size_bytes: int
    preview: tuple[Conversation, ...] = ()
    """The first rows that can train; at most three."""

    @property
    def can_train(self) -> bool:
        """Tell whether no finding refuses the start."""
        return not any(finding.level == "error" for finding in self.findings)


class Lengths(BaseModel):
    """Token counts of rendered rows: with the model's own template and tokenizer."""

    model_config = ConfigDict(frozen=True)

    rows: int
    """Rows in the file."""
    measured: int
    """Rows that were tokenized; fewer than ``rows`` where the file is large."""
    p50: int
    p95: int
    p99: int
    longest: int
    total: int
    """Tokens in the measured rows."""
    trained: int
    """Of those, tokens that the loss is computed on: the answers and their end-of-turn token."""
    counts: tuple[int, ...]
    """Every measured row's tokens, ascending: what a length limit would cut is read off here."""
    starts: tuple[tuple[int, int], ...] = ()
    """Of each measured row, the tokens before its first trained one and its number, most first."""
    findings: tuple[Finding, ...] = ()
    """Rows in which no token or no end-of-turn token would be trained."""
