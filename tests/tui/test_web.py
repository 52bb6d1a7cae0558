"""The dashboard in a browser: on this machine alone, for who has the token, and no other site."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import socket
import sys
from typing import TYPE_CHECKING
from unittest import mock

import aiohttp
import pytest
from aiohttp import web
from textual_serve.app_service import AppService

from engine.errors import LoraDeckError
from tui.cli.web import web as command
from tui.web import DeckServer, words

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

# What textual-serve waits for from an app, and one packet of what it draws; it ends when told to
_APP = (
    "import sys; sys.stdout.write('__GANGLION__\\nD\\0\\0\\0\\2hi'); sys.stdout.flush(); "
    "sys.stdin.read(1)"
)


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[tuple[DeckServer, aiohttp.ClientSession, str]]:
    """Serve an app that draws two letters."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = DeckServer(port, "s3cret")
    server.command = shlex.join([sys.executable, "-c", _APP])
    runner = web.AppRunner(await server._make_app())  # which waits a minute for open pages
    await runner.setup()
    jar = aiohttp.CookieJar(unsafe=True)  # of an address without a name
    async with apps_end(), aiohttp.ClientSession(cookie_jar=jar) as browser:
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield server, browser, f"http://127.0.0.1:{port}"
        finally:
            async with asyncio.timeout(20):
                await runner.cleanup()


@contextlib.asynccontextmanager
async def apps_end() -> AsyncIterator[None]:
    """Wait for the apps in the end, which textual-serve only tells to end."""
    apps: list[Process] = []

    class Waited(AppService):
        async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
            apps.append(app := await super()._open_app_process(width, height))
            return app

    with mock.patch("textual_serve.server.AppService", Waited):
        yield
    async with asyncio.timeout(20):
        await asyncio.gather(*(app.wait() for app in apps))


async def test_the_token_opens_page_and_socket_and_leaves_the_address() -> None:
    async with served() as (server, browser, place):
        async with browser.get(server.address) as page:
            assert (page.status, str(page.url)) == (200, f"{place}/")
            assert "default-src 'self'" in page.headers["Content-Security-Policy"]
            text = await page.text()
            assert f"{place.replace('http', 'ws')}/ws" in text
            assert "s3cret" not in text
        async with browser.ws_connect(f"{place}/ws?width=80&height=24") as drawn:
            assert await drawn.receive_bytes(timeout=20) == b"hi"


async def test_it_ends_at_once_beneath_an_open_page() -> None:
    async with served() as (server, browser, place):
        await browser.get(server.address)
        page = await browser.ws_connect(f"{place}/ws?width=80&height=24")
        assert await page.receive_bytes(timeout=20) == b"hi"
    assert (await page.receive()).type == aiohttp.WSMsgType.CLOSED


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/ws", "/static/js/textual.js"])
async def test_without_the_token_nothing_is_answered(path: str) -> None:
    async with served() as (_, browser, place), browser.get(place + path) as answer:
        assert answer.status == 401
        assert "textual" not in await answer.text()


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example:8000"}, {"Origin": "http://evil.example"}]
)
async def test_other_names_and_sites_are_refused_even_with_the_cookie(
    headers: dict[str, str],
) -> None:
    async with served() as (server, browser, place):
        async with browser.get(server.address) as page:
            assert page.status == 200
        for path in ("/", "/ws", "/?token=s3cret"):
            async with browser.get(place + path, headers=headers) as answer:
                assert answer.status == 403


def test_other_hosts_are_refused_in_words() -> None:
    with pytest.raises(LoraDeckError, match=r"listens on 127\.0\.0\.1 alone") as refused:
        command(port=8000, host="0.0.0.0")  # noqa: S104 - that it is refused
    assert "ssh -L 8000:127.0.0.1:8000" in refused.value.hint


def test_a_missing_package_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tui.web", None)
    with pytest.raises(LoraDeckError, match="textual-serve") as missing:
        command(port=8000, host="127.0.0.1")
    assert missing.value.hint.endswith("-m pip install 'loradeck[web]'")


def test_the_way_from_another_machine_is_told() -> None:
    told = words("127.0.0.1:8000", "http://127.0.0.1:8000/?token=x")
    assert "ssh -L 8000:127.0.0.1:8000 " in told
    assert "http://127.0.0.1:8000/?token=x\n" in told
