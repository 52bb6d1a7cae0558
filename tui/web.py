"""The dashboard in a browser: textual-serve, on this machine alone, for who has the token."""

from __future__ import annotations

import getpass
import hmac
import logging
import secrets
import shlex
import socket
import sys
from typing import TYPE_CHECKING

from aiohttp import web
from textual_serve.server import Server

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.text import visible

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

HOST = "127.0.0.1"
_COMMAND = "from tui.cli import main; main()"
_POLICY = (
    "default-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:;"
    " connect-src 'self' ws://{place}; frame-ancestors 'none'"
)
_REFUSED = mark("Open the address that 'loradeck web' has printed; it holds the token.")


class DeckServer(Server):
    """Serves the dashboard to browsers that bring the token once; it stays in a cookie then.

    Other users of the machine can reach the port, and so can any web site that the user's browser
    shows: a request must name this host, come from its own pages, and hold the token.

    Args:
        port: Where it listens, on the loopback interface.
        token: What opens it; another one each time.
    """

    def __init__(self, port: int, token: str = "") -> None:
        command = shlex.join([sys.executable, "-c", _COMMAND])
        super().__init__(command, HOST, port, title="LoRADeck")
        self._token = token or secrets.token_urlsafe(24)
        self._place = f"{HOST}:{port}"
        self._handling: list[web.Request] = []
        self._cookie = f"loradeck-{port}"  # cookies know no ports

    @property
    def address(self) -> str:
        """The address to open, with the token."""
        return f"http://{self._place}/?token={self._token}"

    async def _make_app(self) -> web.Application:
        """Put the check before everything that textual-serve answers."""
        app = await super()._make_app()
        app.middlewares.append(self.check)
        return app

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request that may be answered; the token is taken out of the address."""
        origin = request.headers.get("Origin")
        if request.host != self._place or origin not in (None, f"http://{self._place}"):
            return web.Response(status=403, text=f"{tr(_REFUSED)}\n")
        if self._fits(request.query.get("token")):
            found = web.HTTPFound("/")
            found.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict")
            raise found
        if not self._fits(request.cookies.get(self._cookie)):
            return web.Response(status=401, text=f"{tr(_REFUSED)}\n")
        response = await self._handle(request, handler)
        if not response.prepared:
            # Its page would ask a font of another host, which learns of the visit then
            response.headers["Content-Security-Policy"] = _POLICY.format(place=self._place)
            response.headers["Referrer-Policy"] = "no-referrer"
        return response

    async def _handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request be handled, which for a page's socket lasts as long as the page."""
        self._handling.append(request)
        try:
            return await handler(request)
        finally:
            self._handling.remove(request)

    async def on_shutdown(self, _: web.Application) -> None:
        """Hang up on open pages, which aiohttp would wait a minute for; their dashboards close."""
        for request in self._handling:
            if request.transport is not None:
                request.transport.close()

    def _fits(self, given: str | None) -> bool:
        """Tell whether a token is the right one, in the same time for any."""
        return given is not None and hmac.compare_digest(given.encode(), self._token.encode())

    def initialize_logging(self) -> None:
        """Keep the addresses, which hold the token, out of the terminal."""
        logging.basicConfig(level=logging.ERROR)

    async def on_startup(self, _: web.Application) -> None:
        """Say how to reach it."""
        sys.stdout.write(words(self._place, self.address))
        sys.stdout.flush()


def words(place: str, address: str) -> str:
    """Say how to reach the dashboard, here and from elsewhere."""
    port = place.rpartition(":")[2]
    there = f"{getpass.getuser()}@{socket.gethostname()}"
    lines = (
        tr("LoRADeck in a browser, on this machine alone:"),
        f"  {address}",
        tr("From another machine, first:"),
        f"  ssh -L {port}:{place} {there}",
        tr(
            "then open the same address there. Who has it can do what you can. Ctrl-C ends it;"
            " trainings go on."
        ),
        "",
    )
    return visible("\n".join(lines))


def serve(port: int) -> None:
    """Serve the dashboard until Ctrl-C.

    Raises:
        LoraDeckError: The port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise LoraDeckError(
                tr("Port not usable"),
                tr(
                    "{host}:{port} cannot be listened on: {reason}.",
                    host=HOST,
                    port=port,
                    reason=error.strerror or error,
                ),
                tr("Take another one: loradeck web --port 8001"),
            ) from error
    DeckServer(port).serve()
