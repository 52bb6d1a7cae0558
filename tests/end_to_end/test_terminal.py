"""The dashboard in a real terminal of 80x24, by the keys that a user types."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conftest import LORADECK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.end_to_end.conftest import CommandLine

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux"),
]


class Terminal:
    """A tmux of its own."""

    def __init__(self, socket: Path, environment: dict[str, str]) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", os.devnull]
        self._environment = environment

    def open(self, *command: str) -> None:
        """Start a command on a terminal of 80x24."""
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-x", "80", "-y", "24", *command],
            check=True,
            env=self._environment,
        )

    def type(self, *keys: str) -> None:
        """Press keys."""
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def screen(self) -> str:
        """Read what stands there; empty once it is closed."""
        command = [*self._tmux, "capture-pane", "-p"]
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout

    def wait_for(self, *words: str, seconds: float = 60) -> str:
        """Wait until all words stand on the screen."""
        deadline = time.monotonic() + seconds
        while not all(word in (screen := self.screen()) for word in words):
            assert time.monotonic() < deadline, f"no {words} in\n{screen}"
            threading.Event().wait(0.05)
        return screen

    def wait_for_end(self) -> None:
        """Wait until the command has ended and its terminal with it."""
        command = [*self._tmux, "has-session"]
        while subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0:
            threading.Event().wait(0.05)

    def close(self) -> None:
        """Close the terminal as a lost link does: whatever runs in it is hung up on."""
        subprocess.run([*self._tmux, "kill-server"], check=False, stderr=subprocess.DEVNULL)


@pytest.fixture
def terminal(loradeck: CommandLine, tmp_path: Path) -> Iterator[Terminal]:
    environment = {**os.environ, **loradeck.environment, "LORADECK_HOME": str(loradeck.home.root)}
    environment.pop("TMUX", None)
    opened = Terminal(tmp_path / "tmux", environment)
    yield opened
    opened.close()


def test_from_start_to_chat_by_keys_across_a_lost_link(
    terminal: Terminal, loradeck: CommandLine, tiny_llama: Path
) -> None:
    shutil.copytree(tiny_llama, loradeck.home.models / "tiny")
    terminal.open(str(LORADECK))
    terminal.wait_for("Engine ready", "No task yet")
    terminal.type("d")
    terminal.wait_for("alpaca_example.json", "12 rows")
    terminal.type("Enter")
    terminal.wait_for("Base models", "tiny")
    terminal.type("g", "Enter")  # what is ready stands first
    terminal.wait_for("alpaca_example-tiny", "learning rate", "1e-3")
    terminal.type("s")
    terminal.wait_for("running", "alpaca_example-tiny")

    terminal.close()
    assert loradeck.json("tasks")[0]["status"] == "running"
    terminal.open(str(LORADECK))
    terminal.wait_for("alpaca_example-tiny", "completed")
    terminal.type("t", "Enter")
    terminal.wait_for("completed", "Loss", "adapter")
    terminal.type("c")
    terminal.wait_for("Chat", "alpaca_example-tiny", "Ask")
    terminal.type("Who keeps the lighthouse?", "Enter")
    terminal.wait_for("Who keeps the lighthouse?", "tokens/s")
    terminal.type("Escape")
    terminal.wait_for("Loss")
    terminal.type("Escape")
    terminal.wait_for("New training")
    terminal.type("q")
    terminal.wait_for_end()

    assert (loradeck.home.adapter("alpaca_example-tiny") / "adapter_model.safetensors").exists()
