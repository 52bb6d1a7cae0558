"""``loradeck engine serve``: in the foreground, over the network, in the place of another."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import httpx
import pytest

from engine.locks import holder
from engine.server.main import LOCK
from engine.server.wire import PREFIX

if TYPE_CHECKING:
    import subprocess

    from tests.end_to_end.conftest import CommandLine

pytestmark = pytest.mark.end_to_end


def _port(serving: subprocess.Popen[str]) -> int:
    """Read where a server says that it listens."""
    assert serving.stdout is not None
    said = ""
    while not (found := re.search(r"127\.0\.0\.1:(\d+)", said)):
        line = serving.stdout.readline()
        assert line, said
        said += line
    return int(found[1])


def test_serving_over_the_network(loradeck: CommandLine) -> None:
    serve = ("engine", "serve", "--tcp", "127.0.0.1:0")
    assert "loradeck engine token" in loradeck.run(*serve, code=2)
    token = loradeck.json("engine", "token")["token"]
    assert "--allow-remote" in loradeck.run("engine", "serve", "--tcp", "0.0.0.0:0", code=2)
    loradeck.run("tasks")
    before = holder(loradeck.home.run / LOCK)
    loradeck.environment["LORADECK_IDLE_MINUTES"] = "0.0001"
    serving = loradeck.start(*serve)
    try:
        url = f"http://127.0.0.1:{_port(serving)}{PREFIX}/"
        assert before != holder(loradeck.home.run / LOCK) == serving.pid
        with httpx.Client(base_url=url, trust_env=False, timeout=60.0) as http:
            assert http.get("tasks").status_code == 401
            http.headers["Authorization"] = f"Bearer {token}"
            assert http.get("tasks").json() == []
            # The command line finds the same server, and another gives way to it
            assert loradeck.json("engine", "status")["pid"] == serving.pid
            assert "serves it already" in loradeck.run(*serve, code=2)
            assert loradeck.json("engine", "token", "--revoke") == {"revoked": True}
            assert http.get("tasks").status_code == 401
        os.kill(serving.pid, signal.SIGTERM)
        assert serving.wait(20) == 0
    finally:
        serving.kill()
        serving.communicate()
    assert not loradeck.home.socket.exists()
    assert token not in (loradeck.home.run / "engine.log").read_text()
