"""A real engine over a home of its own, driven through the real command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engine.home import Home
from engine.locks import holder
from engine.server.main import LOCK
from tests.chaos.zygote import start_zygote, use_zygote
from tests.end_to_end.commands import Commands

if TYPE_CHECKING:
    from collections.abc import Iterator


LORADECK = Path(sys.executable).with_name("loradeck")
REPOSITORY = Path(__file__).parents[2]


@dataclass
class CommandLine:
    """Runs ``loradeck`` as a user would."""

    home: Home
    commands: Commands
    environment: dict[str, str] = field(default_factory=dict)
    patience: float = 300.0
    """Seconds that a command may take."""

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [str(LORADECK), *map(str, arguments)],
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.home.root,
            env=self._environment(),
            # Tests that run in the background of a script inherit an ignored SIGINT.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *arguments: str | Path, code: int = 0) -> str:
        """Run a command to its end and give what it printed."""
        words = list(map(str, arguments))
        ran = self.commands.run(words, self._environment(), self.home.root, self.patience)
        assert ran.code == code, f"{arguments}: {ran.code}\n{ran.out}\n{ran.err}"
        return ran.out if code == 0 else ran.out + ran.err

    def _environment(self) -> dict[str, str]:
        """Give a command's environment."""
        return {**os.environ, "LORADECK_HOME": str(self.home.root), **self.environment}

    def json(self, *arguments: str | Path) -> Any:
        """Run a command with ``--json``: its whole output is one JSON value."""
        return json.loads(self.run(*arguments, "--json"))

    def events(self, *arguments: str | Path, code: int = 0) -> list[dict[str, Any]]:
        """Run a command that prints one JSON event a line."""
        return [json.loads(line) for line in self.run(*arguments, "--json", code=code).splitlines()]


@pytest.fixture(scope="session")
def forking() -> dict[str, str]:
    """The environment of servers that fork their workers from a process with the imports done.

    A worker imports for longer than it trains here. ``spawned`` is for tests without it.
    """
    before = dict(os.environ)
    start_zygote()
    use_zygote(used=True)
    changed = {key: value for key, value in os.environ.items() if before.get(key) != value}
    os.environ.clear()
    os.environ.update(before)
    return changed


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    """The process that commands are forked from."""
    commands = Commands()
    yield commands
    commands.close()


@pytest.fixture
def loradeck(home: Home, commands: Commands, forking: dict[str, str]) -> Iterator[CommandLine]:
    """The command line over a fresh home; its engine, workers and spare end with the test."""
    yield (line := CommandLine(home, commands, {"LORADECK_SPARE_WORKER": "false", **forking}))
    end_everything(line)


@pytest.fixture
def spawned(home: Home, commands: Commands) -> Iterator[CommandLine]:
    """The same, its workers spawned as a user's are."""
    yield (line := CommandLine(home, commands, {"LORADECK_SPARE_WORKER": "false"}))
    end_everything(line)


def end_everything(line: CommandLine) -> None:
    """Stop a home's engine and end what it left running, by the pids that hold its locks."""
    line.run("engine", "stop")
    home = line.home
    assert holder(home.run / LOCK) is None
    for lock in home.root.glob("*/*/worker.lock"):
        if pid := holder(lock):
            os.kill(pid, 9)


@pytest.fixture(scope="session")
def demo_home(commands: Commands) -> Path:
    """A home with the demo model, kept in the checkout between runs: fetching takes a while."""
    line = CommandLine(Home(REPOSITORY / ".cache" / "test-home"), commands)
    line.home.prepare()
    line.run("models", "pull", "demo")
    line.run("engine", "stop")
    return line.home.root
