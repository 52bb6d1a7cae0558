"""What every part of the engine's client is made of: one request, and one stream of events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager


class Calls(ABC):
    """A connection to an engine server, of whatever kind."""

    @abstractmethod
    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request and give its JSON, or raise the error it answered."""

    @abstractmethod
    def stream(
        self, path: str, method: str = "GET", body: dict[str, Any] | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Open an event stream and give its data lines."""
