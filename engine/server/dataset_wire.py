"""What crosses the interface while a dataset is looked at."""

from __future__ import annotations

from pydantic import BaseModel

from engine.data.types import Scanning
from engine.server.wire import ErrorBody, PathRequest, Text


class InspectRequest(PathRequest):
    """Names a dataset on the engine's machine, and how its rows are read."""

    mapping: dict[Text, Text] | None = None
    """Which column holds which field, where the user says so."""


class MeasureRequest(InspectRequest):
    """Names a dataset, and the base model whose template and tokenizer are used."""

    model: Text


class ScanStep(BaseModel):
    """One event of a scan: how far it is, or why it ended."""

    scanning: Scanning | None = None
    error: ErrorBody | None = None
    status: int = 200
    """The error's, as an answer would have it."""
