"""What the server and its scanning process say to each other, a JSON object a line."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from engine.data.types import Inspection, Lengths, Scanning
from engine.errors import ConflictError, DiskFullError, LoraDeckError, NotFoundError

_KINDS = {kind.__name__: kind for kind in (NotFoundError, ConflictError, DiskFullError)}


class Request(BaseModel):
    """What the parent asks, once."""

    do: Literal["inspect", "measure", "survey"]
    path: str = ""
    """A dataset."""
    paths: list[str] = []
    """Datasets of which one after the other is inspected: a survey."""
    mapping: dict[str, str] | None = None
    cache: str | None = None
    """The home's cache folder."""
    model_folder: str = ""
    context: int | None = None
    inspection: Inspection | None = None
    """Whose sample is to be measured, where it is known."""
    seconds: int | None = None
    """Of processor time, after which the kernel ends the process."""
    address_space: int
    """Bytes."""
    data: int
    """Bytes that are written to, more or less what the process really takes."""


class Failure(BaseModel):
    """A ``LoraDeckError`` on its way through the pipe."""

    kind: str
    title: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: LoraDeckError) -> Failure:
        """Pack an error."""
        return cls(
            kind=type(error).__name__, title=error.title, message=error.message, hint=error.hint
        )

    def error(self) -> LoraDeckError:
        """Unpack it."""
        return _KINDS.get(self.kind, LoraDeckError)(self.title, self.message, self.hint)


class Line(BaseModel):
    """What the child answers: of progress as many as there are, then one of the others."""

    scanning: Scanning | None = None
    lengths: Lengths | None = None
    path: str = ""
    """Of a survey: which dataset this line is about."""
    failure: Failure | None = None
