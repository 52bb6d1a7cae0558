"""The command line's followers: what they say of a task that waits, and what they leave out."""

from __future__ import annotations

import asyncio
import io
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

import tui.cli.followers
from engine.tasks.events import Event, PhaseEntered, StepLogged, TaskStarted, TaskStopped
from engine.tasks.record import Status, TaskRecord
from engine.tasks.view import TaskView
from tests.tui.fake_engine import FakeEngine, task, training_events
from tui.cli import follow
from tui.cli.followers import choose_follower, waiting_words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

RESUME = "Resume it with: loradeck tasks resume 00000001"
PAUSED = task("bot", "paused", message="Paused at step 3.", resume_step=3)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (PAUSED, f"'bot' is paused: Paused at step 3. {RESUME}"),
        (task("bot", "paused", message="The disk is full.", waits_for_disk=True),
         "'bot' is paused: The disk is full."),
        (task("bot", message="Goes on from step 3."),
         "'bot' waits in the queue: Goes on from step 3."),
        (task("bot"), "'bot' waits in the queue."),
        (task("bot", "running", message="Pausing at the next step."), ""),
        (task("bot", "completed", message="Adapter saved."), ""),
    ],
)  # fmt: skip
def test_what_waits_says_for_what(record: TaskRecord, words: str) -> None:
    assert waiting_words(record) == words


class Script:
    """An engine whose task runs, pauses, goes on and ends, one state at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = FakeEngine([TaskView(task=task("bot", "running"))])
        self.coming: asyncio.Queue[Event | None] = asyncio.Queue()
        monkeypatch.setattr(self.engine, "events", self._events)
        monkeypatch.setattr(follow, "_RETRY_SECONDS", 0)

    async def _events(
        self, task_id: str, after: int = 0, *, follow: bool = True
    ) -> AsyncIterator[Event]:
        while (event := await self.coming.get()) is not None:
            yield event

    def change(self, record: TaskRecord) -> None:
        """Let the task come into a state."""
        self.engine.change(TaskView(task=record))

    def end(self) -> None:
        """Let the task end."""
        self.change(task("bot", "completed", message="Adapter saved."))
        self.coming.put_nowait(None)

    @asynccontextmanager
    async def followed(self, *, json: bool = False) -> AsyncIterator[None]:
        """Follow the task to its end."""
        record = self.engine.views["00000001"].task
        job = asyncio.create_task(follow._follow(self.engine, record, json=json))  # type: ignore[arg-type]
        yield
        self.end()
        async with asyncio.timeout(20):
            assert (await job).status is Status.COMPLETED


async def until(is_so: Callable[[], object]) -> None:
    """Let the follower run until something is so."""
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0)


async def test_a_pause_is_said_in_a_line_and_followed_through(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script, out = Script(monkeypatch), ""

    def said(words: str) -> bool:
        nonlocal out
        out += capsys.readouterr().out
        return words in out

    async with script.followed():
        script.change(PAUSED)
        await until(lambda: said(f"'bot' is paused: Paused at step 3. {RESUME}\n"))
        script.change(PAUSED)
        script.engine.break_streams()
        script.change(task("bot", message="Goes on from step 3."))
        await until(lambda: said("'bot' waits in the queue: Goes on from step 3.\n"))
        script.coming.put_nowait(TaskStarted(seq=1, pid=1, device="CPU", resumed_from=3))
        await until(lambda: said("Goes on from step 3 on CPU.\n"))
    out += capsys.readouterr().out
    assert out.count("is paused") == 1
    assert out.endswith("Adapter saved.\n")


async def test_json_stays_events_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Script(monkeypatch)
    async with script.followed(json=True):
        script.change(PAUSED)
        await until(lambda: script.engine.watchers)
    (line,) = capsys.readouterr().out.splitlines()
    assert '"task_ended"' in line


def test_the_bar_of_a_paused_task_has_no_stale_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=200, highlight=False)
    monkeypatch.setattr(tui.cli.followers, "Console", lambda **_: terminal)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    bar = choose_follower(task("bot"), json=False)
    row = bar._bar.tasks[0]

    def shown() -> str:
        return f"{row.description} {row.completed}/{row.total} {row.fields['figures']}".strip()

    bar.tell(task("bot"))
    assert shown() == "queued 0/None"
    for event in training_events(8):
        bar.show(event)
    assert shown() == "training 8/24 loss 1.225  0 s left"
    bar.tell(task("bot", "running", requested="pause"))
    bar.show(TaskStopped(step=8))
    assert shown().startswith("pausing 8/24")
    bar.tell(PAUSED)
    assert shown() == "paused 8/24"
    bar.tell(task("bot", "running"))
    assert shown().startswith("starting 8/24")
    for event in (TaskStarted(pid=2, device="CPU", resumed_from=8), PhaseEntered(phase="training"),
                  StepLogged(step=9, max_steps=24, epoch=1, loss=1.0, learning_rate=1e-4,
                             grad_norm=1, tokens=9, seconds=1)):  # fmt: skip
        bar.show(event)
    assert shown() == "training 9/24 loss 1.000"
    bar.tell(task("bot", "completed"))
    assert shown() == "completed 9/24"
    bar.close()
    assert RESUME in terminal.file.getvalue()
