"""What is told of trainings: once, together, and only what the user did not do himself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tui.notices
import tui.title
from engine.tasks.view import TaskView
from screens.task import TaskScreen
from tests.tui.conftest import LARGE, opened, text_of, until
from tests.tui.fake_engine import FakeEngine, running, task
from tui.app import LoraDeckApp
from tui.title import title_words

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Take the pauses out, and keep what is written to the terminal."""
    monkeypatch.setattr(tui.notices, "GATHER_SECONDS", 0.02)
    monkeypatch.setattr(tui.title, "REST_SECONDS", 0.02)
    monkeypatch.delenv("TMUX", raising=False)
    sequences: list[str] = []
    monkeypatch.setattr(LoraDeckApp, "write_terminal", lambda _, words: sequences.append(words))
    return sequences


def ended(number: int, status: str, **changes: object) -> TaskView:
    """Make a task of a number in another state."""
    return TaskView(task=task(f"t{number}", status, number, **changes))


def notified(app: LoraDeckApp) -> list[str]:
    """Give what the toasts say."""
    return [one.message for one in app._notifications]


async def test_what_had_ended_is_no_news_and_the_rest_is_told_once(tmp_path: Path) -> None:
    engine = FakeEngine([ended(1, "completed"), ended(2, "running"), ended(3, "running")])
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        engine.change(ended(2, "completed", message="All well"))
        await until(pilot, lambda: "t2: All well" in text_of(app))
        engine.change(ended(2, "completed", message="All well"))
        engine.change(ended(3, "failed", message="Out of memory"))
        await until(pilot, lambda: len(notified(app)) == 2)
        assert notified(app)[1] == "t3: Out of memory"
        assert [one.title for one in app._notifications] == ["Finished", "Failed"]


async def test_what_the_user_did_is_not_told_and_a_full_disk_is(tmp_path: Path) -> None:
    engine = FakeEngine([ended(n, "running") for n in (1, 2, 3)] + [ended(4, "pending")])
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        engine.change(ended(1, "running", requested="pause"))
        await until(pilot, lambda: app.session.tasks["00000001"].task.requested)
        engine.change(ended(1, "paused", message="Paused at step 8."))
        engine.change(ended(2, "cancelled"))
        engine.change(ended(4, "paused"))
        engine.change(ended(3, "paused", message="The disk is full", waits_for_disk=True))
        await until(pilot, lambda: notified(app))
        assert notified(app) == ["t3: The disk is full"]


async def test_many_at_once_are_one_toast_bell_and_notification_on_any_screen(
    tmp_path: Path, written: list[str]
) -> None:
    engine = FakeEngine([ended(n, "running") for n in range(1, 6)])
    loud = {"bell": True, "notifications": "osc777", "title": False}
    async with opened(engine, tmp_path, LARGE, **loud) as (app, pilot):
        await pilot.press("t", "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen))
        for number in range(1, 6):
            engine.change(ended(number, "completed"))
        await until(pilot, lambda: "\x07" in written)
        assert notified(app) == ["5 trainings finished"]
        head = "777;notify;LoRADeck Finished;5 trainings finished"
        assert written == [f"\x1b]{head}\x07", "\x07"]


async def test_the_title_follows_the_running_task_and_the_users_own_comes_again(
    tmp_path: Path, written: list[str]
) -> None:
    engine = FakeEngine([running(step=5)])
    async with opened(engine, tmp_path, LARGE) as (_, pilot):
        await until(pilot, lambda: any(" 21 % · 20 min left" in one for one in written))
        assert written[0].startswith("\x1b[22;0t\x1b]2;LoRADeck · alpaca_example-demo 21 %")
        engine.change(running(step=12))
        await until(pilot, lambda: "50 %" in written[-1])
        assert not written[-1].startswith("\x1b[22")
        count = len(written)
        engine.change(running(step=12))
        await pilot.pause(0.1)
        assert len(written) == count
    assert written[-1] == "\x1b[23;0t"


def test_the_title_says_how_many_run_or_nothing_of_them() -> None:
    assert title_words([]) == "LoRADeck"
    assert title_words([running(), running()]) == "LoRADeck · 2 trainings run"
