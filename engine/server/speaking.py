"""Answers each request in the language that its client asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from engine.language import speaking

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class Speaking:
    """Takes ``Accept-Language`` for as long as a request is worked on; clients send one name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with speaking(Headers(scope=scope).get("accept-language", "")):
            await self._app(scope, receive, send)
