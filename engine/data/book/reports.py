"""What passes between the engine and the processes that read datasets for it, a line each."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from engine.data.child_wire import Failure
from engine.data.types import Shape

Format = Literal["jsonl", "json", "csv", "parquet"]
Form = Literal["raw", "messages"]


class FillRequest(BaseModel):
    """Asks for a working copy."""

    path: str
    folder: str
    """Of the empty working copy."""
    mapping: dict[str, str]


class ExportJob(BaseModel):
    """Asks for a file in another format."""

    path: str
    target: str
    """Does not exist yet."""
    format: Format
    form: Form
    mapping: dict[str, str]


class FetchJob(BaseModel):
    """Asks for a dataset of the hub."""

    path: str
    """``owner/name``."""
    datasets: str
    """The home's folder for them."""


class Report(BaseModel):
    """How far the work is."""

    shape: Shape | None = None
    """In the first of them."""
    rows: int = 0
    left_out: int = 0
    share: float | None = None
    complete: bool = False
    failure: Failure | None = None
    """In the last of them, where the file could not be read to its end."""
