"""What passes between the engine and the process that fills a working copy."""

from __future__ import annotations

from pydantic import BaseModel

from engine.data.types import Shape
from engine.errors import DiskFullError, LoraDeckError, NotFoundError


class Request(BaseModel):
    """What the parent asks."""

    path: str
    folder: str
    """Of the empty working copy."""
    mapping: dict[str, str]


class Failure(BaseModel):
    """A ``LoraDeckError`` on its way through the pipe."""

    status: int
    title: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: LoraDeckError) -> Failure:
        """Pack an error."""
        return cls(
            status=error.http_status, title=error.title, message=error.message, hint=error.hint
        )

    def error(self) -> LoraDeckError:
        """Unpack it."""
        kinds = {kind.http_status: kind for kind in (NotFoundError, DiskFullError)}
        return kinds.get(self.status, LoraDeckError)(self.title, self.message, self.hint)


class Report(BaseModel):
    """How far the copy is."""

    shape: Shape | None = None
    """In the first of them."""
    rows: int = 0
    share: float | None = None
    complete: bool = False
    failure: Failure | None = None
    """In the last of them, where the file could not be read to its end."""
