"""A connection to the engine: who may hold one, and for how long without saying anything."""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from engine.server.peer import Connection, peer_uid

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

log = logging.getLogger(__name__)
LOCAL = "local"
"""Set in a request's state where it came over the Unix socket from the user's own process."""
HEADER_SECONDS = 20.0
"""After which a connection without a whole request's header is closed."""
STALL_SECONDS = 120.0
"""After which a client that reads nothing of what waits for it is dropped."""
MOST_REMOTE = 200
"""Connections over the network at a time."""


class EngineProtocol(H11Protocol):
    """HTTP on one connection; over the Unix socket only for processes of the server's own user."""

    _refused = False
    _remote = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Look who connects; drop others without an answer."""
        connection: socket.socket = transport.get_extra_info("socket")
        self._remote = connection.family != socket.AF_UNIX
        if not self._may_connect(connection):
            self._refused = True
            transport.abort()
            return
        if self._remote:
            # A peer that vanished without a word is noticed, though the stream to it is idle
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        else:
            self.app_state = self.app_state | {LOCAL: True}
        super().connection_made(transport)
        self._give_until(HEADER_SECONDS, self._close_unless_asked)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._rest()
        if not self._refused:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless it is a stranger's last words."""
        if not self._refused:
            super().data_received(data)

    def pause_writing(self) -> None:
        """Give a client that does not read some time."""
        super().pause_writing()
        self._give_until(STALL_SECONDS, self._drop)

    def resume_writing(self) -> None:
        """Go on with a client that reads again."""
        self._rest()
        super().resume_writing()

    def _may_connect(self, connection: socket.socket) -> bool:
        """Tell whether a connection is the user's own, or one of few over the network."""
        if self._remote:
            others = sum(1 for one in self.connections if getattr(one, "_remote", False))
            return others < MOST_REMOTE
        uid = peer_uid(cast("Connection", connection))
        if uid == os.getuid():
            return True
        log.warning("a process of user %s connected and was turned away", uid)
        return False

    def _close_unless_asked(self) -> None:
        """Close a connection on which no whole request's header has come."""
        if cast("object | None", self.cycle) is None:
            self._drop()

    def _drop(self) -> None:
        """Close the connection at once, and what waits to be written with it."""
        self.transport.abort()

    def _give_until(self, seconds: float, then: Callable[[], None]) -> None:
        """Set the one timer of this connection."""
        self._rest()
        self._deadline = self.loop.call_later(seconds, then)

    def _rest(self) -> None:
        """Take the timer back."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
