"""Keys that no other test presses: scrolling, the way back, an editor of the user's own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from textual.app import App

from screens.dataset_picker import DatasetPicker
from screens.dialogs import ConfirmDialog, ErrorDialog
from screens.found import FoundScreen
from screens.help import HelpScreen
from screens.home import HomeScreen
from screens.settings import SettingsScreen
from screens.widgets.edit_area import EditArea
from tests.tui.conftest import opened, text_of, until
from tests.tui.fake_engine import FakeEngine, running, task, training_events
from tests.tui.test_chat import ask, talking
from tests.tui.test_found import scripted as with_finds
from tests.tui.test_found import show as show_found
from tests.tui.test_snapshots import scripted, to_row_editor
from tests.tui.test_task import DONE, RUNNING
from tests.tui.test_task import show as show_task

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot
    from textual.widget import Widget


async def scrolls(pilot: Pilot[None], area: Widget, down: str, up: str) -> None:
    """Press a key that scrolls down, and the one that takes it back."""
    area.scroll_home(animate=False)
    await pilot.press(down)
    await until(pilot, lambda: area.scroll_y > 0)
    await pilot.press(up)
    await until(pilot, lambda: area.scroll_y == 0)


async def test_help_is_scrolled_by_lines(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await scrolls(pilot, app.screen.query_one("#help"), "j", "k")


async def test_a_task_is_scrolled_by_lines(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    engine.event_script[DONE.task.id] = training_events(24, completed=True)
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await show_task(app, pilot, DONE.task.id)
        await until(pilot, lambda: "What the training changed" in text_of(app))
        area = screen.focused or screen.query_one("#body")
        await scrolls(pilot, area, "j", "k")
        await pilot.press("w")
        assert screen.log_lines.of_worker


async def test_a_failed_task_is_deleted_after_a_question(tmp_path: Path) -> None:
    failed = running().model_copy(update={"task": task("broken", "failed", 1)})
    engine = FakeEngine([failed])
    async with opened(engine, tmp_path) as (app, pilot):
        await show_task(app, pilot, RUNNING)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: engine.calls["delete"])


async def test_the_preview_of_a_dataset_takes_the_focus(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, DatasetPicker) and app.screen._shown)
        await pilot.press("p")
        assert isinstance(app.screen, DatasetPicker)
        assert app.screen.preview.has_focus


async def test_escape_leaves_finds_and_a_setting_as_they_are(tmp_path: Path) -> None:
    async with opened(with_finds(), tmp_path) as (app, pilot):
        await show_found(app, pilot)
        assert isinstance(app.screen, FoundScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("comma")
        screen = app.screen
        assert isinstance(screen, SettingsScreen)
        screen.table.cursor = "refresh_seconds"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is not screen)
        await pilot.press("9", "escape")
        await until(pilot, lambda: app.screen is screen)
        assert app.session.settings.refresh_seconds == 0.01


async def test_a_conversation_is_paged_from_the_question(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        screen = await talking(app, pilot)
        for _ in range(4):
            await ask(pilot)
        await until(pilot, lambda: screen.transcript.scroll_y > 0)
        screen.area.focus()
        end = screen.transcript.scroll_y
        await pilot.press("pageup")
        await until(pilot, lambda: screen.transcript.scroll_y < end)
        await pilot.press("pagedown")
        await until(pilot, lambda: screen.transcript.scroll_y == end)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_row_is_edited_in_the_users_own_editor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\n" + ("exit 3" if fails else """sed -i 's/: "/: "by hand /' $1"""))
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    monkeypatch.setattr(App, "suspend", contextlib.nullcontext)
    async with opened(scripted(), tmp_path) as (app, pilot):
        await to_row_editor(pilot)
        row = app.screen
        await pilot.press("f4")
        await until(pilot, lambda: fails or "by hand" in row.query(EditArea).first().text)
        if fails:
            await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
            assert "ended with 3" in text_of(app)
