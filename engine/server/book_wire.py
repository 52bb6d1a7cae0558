"""What crosses the engine's interface about open datasets."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from engine.data.book.reports import Form, Format
from engine.data.types import Shape
from engine.server.wire import Text

ROWS_A_PAGE = 500
"""The most rows that one answer holds."""


class _Request(BaseModel):
    """A body with no other keys than its own."""

    model_config = ConfigDict(extra="forbid")


class OpenRequest(_Request):
    """Names a dataset to open."""

    path: Text
    mapping: dict[str, str] = Field(default_factory=dict)
    """Which column holds which field, where the user says so."""


class ChangeRequest(_Request):
    """A row's new value."""

    value: Any
    """A JSON object; anything else is refused in words."""


class InsertRequest(ChangeRequest):
    """A new row."""

    after: int | None = None
    """The id of the row before it; ``None`` puts it first."""


class SaveRequest(_Request):
    """Names the new version."""

    name: Text = ""
    """A file name; empty for the next free version: ``rows.v2.jsonl``."""


class RenderRequest(_Request):
    """Asks how a row reaches a model."""

    value: Any
    shape: Shape
    model: Text
    """A base model's name or path."""
    max_length: int | None = Field(default=None, ge=1)


class AddRequest(_Request):
    """Names a dataset to copy into the home."""

    path: Text
    name: Text = ""
    """What it is to be called there; empty for its own name."""


class ExportRequest(_Request):
    """Says what to write where."""

    path: Text
    target: Text
    format: Format | None = None
    """``None``: by the target's ending."""
    form: Form = "raw"
    """Rows as they stand in the file, or in normal form."""
    mapping: dict[str, str] = Field(default_factory=dict)
    force: bool = False
    """Write over what is there."""


class Exported(BaseModel):
    """What an export wrote."""

    path: str
    format: Format
    rows: int
    left_out: int
    """Rows that cannot be read, or have no normal form."""
    size_bytes: int


class FoundDataset(BaseModel):
    """Where a dataset of the home, or a sample, lies."""

    name: str
    path: str
    sample: bool
