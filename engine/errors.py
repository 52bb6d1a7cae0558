"""Errors that are shown to the user: a title, a plain sentence, what to do next."""

from __future__ import annotations


class LoraDeckError(Exception):
    """A failure with words for the user.

    Args:
        title: What went wrong, in a few words.
        message: One plain sentence; names the file and the row where there is one.
        hint: What to do next; may be empty.
    """

    http_status = 422

    def __init__(self, title: str, message: str, hint: str = "") -> None:
        super().__init__(f"{title}: {message}")
        self.title = title
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[LoraDeckError], tuple[str, str, str]]:
        """Let the error cross a process boundary whole."""
        return type(self), (self.title, self.message, self.hint)


class ForbiddenError(LoraDeckError):
    """Only the user on the engine's own machine may do this."""

    http_status = 403


class NotFoundError(LoraDeckError):
    """What was asked for is not there."""

    http_status = 404


class WeightsMissingError(LoraDeckError):
    """A model's configuration is there, and its weights are not: it can be planned for."""


class ConflictError(LoraDeckError):
    """The request does not fit the present state: a name is taken, a task has ended."""

    http_status = 409


class EngineUnavailableError(LoraDeckError):
    """The engine server cannot be reached or started."""

    http_status = 503


class OtherVersionError(LoraDeckError):
    """The engine server that runs is of another version."""

    http_status = 503


class DiskFullError(LoraDeckError):
    """Too little room for what is about to be written."""

    http_status = 507
