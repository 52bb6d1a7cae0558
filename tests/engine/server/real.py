"""The engine's interface behind its real HTTP server, on real sockets, in the test's own loop."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from engine.server.app import create_app
from engine.server.listen import listen_tcp, listen_unix
from engine.server.service import EngineService
from engine.server.serving import make_server
from engine.server.token import Token
from engine.server.wire import PREFIX
from engine.settings import Settings
from tests.engine.tasks.bench import FakePool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest
    import uvicorn

    from engine.home import Home

PATIENCE = 60.0
"""Seconds that a busy machine may take to answer."""


@dataclass
class Served:
    """A served home."""

    home: Home
    service: EngineService
    server: uvicorn.Server
    port: int
    token: str

    def local(self) -> httpx.AsyncClient:
        """A client over the Unix socket."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.home.socket))
        return httpx.AsyncClient(
            transport=transport, base_url="http://engine" + PREFIX, timeout=PATIENCE
        )

    def remote(self, token: str | None = None) -> httpx.AsyncClient:
        """A client over the network, with the home's token unless another is given."""
        token = self.token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://127.0.0.1:{self.port}{PREFIX}"
        return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=PATIENCE)

    async def raw(
        self, *, remote: bool = False
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection without HTTP."""
        if remote:
            return await asyncio.open_connection("127.0.0.1", self.port)
        return await asyncio.open_unix_connection(self.home.socket)


@asynccontextmanager
async def served(home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """Serve a home over its socket and a free port; its workers are fakes."""
    monkeypatch.setattr("engine.server.service.WorkerPool", lambda settings: FakePool())
    monkeypatch.setattr(FakePool, "spare_ready", False, raising=False)
    service = EngineService(home, Settings())
    app = create_app(service)
    network = listen_tcp("0")
    server = make_server(app, home)
    port = network.getsockname()[1]
    running = asyncio.create_task(server.serve(sockets=[listen_unix(home.socket), network]))
    while not server.started:
        await asyncio.sleep(0)
    try:
        yield Served(home, service, server, port, Token(home.token_file).make())
    finally:
        app.state.stopping.set()
        server.should_exit = True
        await running
