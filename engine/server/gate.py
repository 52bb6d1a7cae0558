"""The gate before the interface: over the network nothing passes without the token."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from anyio import BrokenResourceError
from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from engine.language import tr
from engine.server.protocol import LOCAL
from engine.server.rate import PeerLimits
from engine.server.wire import ErrorBody

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from engine.server.token import Token

log = logging.getLogger(__name__)
REMOTE = "remote"
"""Set in a request's state where it came over the network with the token."""


class Gate:
    """Lets the user's own processes through, and over the network who brings the token.

    What did not come over the Unix socket counts as the network. Without the token every path has
    the same answer, and no body is read.
    """

    def __init__(self, app: ASGIApp, token: Token, limits: PeerLimits | None = None) -> None:
        self._app = app
        self._token = token
        self._limits = limits or PeerLimits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        state = scope.setdefault("state", {})
        if state.get(LOCAL):
            await self._pass(scope, receive, send)
            return
        token = _bearer(Headers(scope=scope))
        refusal = self._refusal(scope["client"], token)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        state[REMOTE] = True
        await self._pass(scope, receive, self._while_valid(token, send))

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through; that its client left an event stream is no fault."""
        try:
            await self._app(scope, receive, send)
        except* BrokenResourceError:  # FastAPI's, where it was about to hand on an event
            log.debug("a client left %s", scope["path"])

    def _refusal(self, client: tuple[str, int] | None, token: str) -> JSONResponse | None:
        """Give the answer for who may not pass."""
        peer = client[0] if client else ""
        if self._limits.exceeded(peer):
            return _answer(
                429, tr("Too many requests"), tr("Wait a minute."), {"Retry-After": "60"}
            )
        if self._token.accepts(token):
            return None
        self._limits.refused(peer)
        challenge = {"WWW-Authenticate": "Bearer"}
        return _answer(401, tr("Token needed"), tr("Nothing is told without the token."), challenge)

    def _while_valid(self, token: str, send: Send) -> Send:
        """End an answer that goes on, such as an event stream, once its token is revoked."""

        ended = False

        async def checked(message: Message) -> None:
            nonlocal ended
            if ended:
                return  # the server has told the answer's maker that nobody listens
            if message.get("more_body") and not self._token.accepts(token):
                ended = True
                message = {**message, "body": b"", "more_body": False}
            await send(message)

        return checked


def _bearer(headers: Headers) -> str:
    """Read the token of a request; empty where it has none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _answer(status: int, title: str, message: str, headers: dict[str, str]) -> JSONResponse:
    """Build an answer after which the connection closes, so that no body need be read."""
    body = ErrorBody(title=title, message=message)
    return JSONResponse(body.model_dump(), status, headers | {"Connection": "close"})
