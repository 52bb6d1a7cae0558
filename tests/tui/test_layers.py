"""Keys that come in one burst: they open one screen, not two, and close one, not the next too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.command import CommandList

from screens.dialogs import ConfirmDialog
from screens.help import HelpScreen
from screens.layers import Layer
from screens.settings import SettingsScreen
from tests.tui.conftest import burst, opened, text_of, until
from tests.tui.fake_engine import FakeEngine, some_tasks

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import LoraDeckApp


def stack(app: LoraDeckApp) -> str:
    """Name the screens that lie above Home."""
    return " ".join(type(screen).__name__ for screen in app.screen_stack[1:])


async def at_once(pilot: Pilot[None], *keys: str) -> None:
    """Let keys come in one chunk, and all that follows from them happen."""
    burst(pilot.app, *keys)
    for _ in range(5):
        await pilot.pause()


@pytest.mark.parametrize(
    ("lead", "above"),
    [
        ("t", "TaskScreen"),
        ("H", "HistoryScreen TaskScreen"),
        ("a", "AssistantsScreen ChatScreen"),
        ("comma G", "SettingsScreen KeysScreen"),
    ],
)
async def test_two_enters_open_one_screen(tmp_path: Path, lead: str, above: str) -> None:
    async with opened(FakeEngine(some_tasks()), tmp_path) as (app, pilot):
        for key in lead.split():
            await pilot.press(key)
        await at_once(pilot, "enter", "enter")
        assert stack(app) == above


async def test_two_enters_close_one_screen(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await pilot.press("comma")
        screen = app.screen
        assert isinstance(screen, SettingsScreen)
        screen.table.cursor = "default_preset"
        await pilot.press("enter")
        assert stack(app) == "SettingsScreen PresetDialog"
        await at_once(pilot, "enter", "enter")
        assert stack(app) == "SettingsScreen"


async def test_two_enters_take_one_command(tmp_path: Path) -> None:
    async with opened(FakeEngine(some_tasks()), tmp_path) as (app, pilot):
        await pilot.press("ctrl+p", *"history")
        await until(pilot, lambda: app.screen.query_one(CommandList).option_count)
        await at_once(pilot, "enter", "enter", "enter")
        await until(pilot, lambda: stack(app))
        assert stack(app) == "HistoryScreen"


async def test_a_screen_that_answers_beneath_another_closes_after_that(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        answers: list[object] = []
        await app.push_screen(Layer[str](), answers.append)
        beneath = app.screen
        await app.push_screen(HelpScreen(beneath))
        beneath.dismiss("chosen")
        await pilot.pause()
        assert (stack(app), answers) == ("Layer HelpScreen", [])
        await pilot.press("escape")
        await pilot.pause()
        assert (stack(app), answers) == ("", ["chosen"])


async def test_what_is_told_over_a_question_is_told_once_and_covers_no_answer(
    tmp_path: Path,
) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        app.notify("Copied the path.")
        await until(pilot, lambda: "Copied the path." in text_of(app))
        app.push_screen(ConfirmDialog("Delete it?", "It goes.", yes="Delete it", no="Keep it"))
        await until(pilot, lambda: "Keep it" in text_of(app))
        await pilot.pause()
        shown = text_of(app)
        assert shown.count("Copied the path.") == 1
        assert "Delete it" in shown
        assert "Keep it" in shown
