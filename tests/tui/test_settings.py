"""The settings' screen: what it saves, what follows at once, and what the environment holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tui.run
from engine.errors import NotFoundError
from engine.home import Home
from engine.language import speak, spoken
from engine.settings import ABOUT, Settings, load_settings
from screens.dialogs import ErrorDialog
from screens.hand_over import Draft
from screens.home import HomeScreen
from screens.model_picker import ModelPicker
from screens.next_plan import Wishes
from screens.preset_dialog import PresetDialog
from screens.setting_dialog import SettingDialog
from screens.settings import SettingsScreen
from screens.settings_words import SECTIONS
from tests.tui.conftest import LARGE, SIZES, Picture, opened, text_of, until
from tests.tui.fake_engine import ALPACA, FakeEngine, running
from tui.app import LoraDeckApp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.pilot import Pilot


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("LORADECK_LANGUAGE")
    yield
    speak("en")


async def open_settings(app: LoraDeckApp, pilot: Pilot[None], key: str = "") -> SettingsScreen:
    """Open the settings by their key, with the cursor on one of them."""
    await pilot.press("comma")
    await until(pilot, lambda: isinstance(app.screen, SettingsScreen) and app.screen.table.items)
    screen = app.screen
    assert isinstance(screen, SettingsScreen)
    screen.table.cursor = key or screen.table.cursor
    await pilot.pause()
    return screen


def test_every_setting_stands_in_one_section() -> None:
    assert sorted(key for keys in SECTIONS.values() for key in keys) == sorted(ABOUT)


async def test_colours_and_refresh_rate_are_saved_and_followed_at_once(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await open_settings(app, pilot, "theme")
        await pilot.press("right", "right", "left")
        await until(pilot, lambda: app.theme == "loradeck-light")
        assert load_settings(Home(tmp_path)).theme == "light"
        assert "‹ light ›" in text_of(app)
        await pilot.press("r")
        await until(pilot, lambda: app.session.settings.theme == "auto")
        assert "theme" not in Home(tmp_path).settings_file.read_text()
        connected = len(engine.calls["connect"])
        app.screen.table.cursor = "refresh_seconds"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SettingDialog))
        await pilot.press("9", "enter")
        await until(pilot, lambda: "✗ it takes a number, at least 0.1, at most 5" in text_of(app))
        await pilot.press("backspace", "1", "enter")
        await until(pilot, lambda: app.session.settings.refresh_seconds == 1)
        await until(pilot, lambda: len(engine.calls["connect"]) == connected + 1)


async def test_what_the_environment_sets_cannot_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORADECK_BELL", "true")
    async with opened(FakeEngine(), tmp_path, LARGE, bell=True) as (app, pilot):
        await open_settings(app, pilot, "bell")
        assert "Set by LORADECK_BELL in the environment" in text_of(app)
        await pilot.press("right", "enter", "r")
        await pilot.pause()
        assert app.session.settings.bell
        assert not Home(tmp_path).settings_file.exists()


async def test_a_file_that_cannot_be_used_is_told_and_stays(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path, LARGE) as (app, pilot):
        screen = await open_settings(app, pilot, "title")
        Home(tmp_path).settings_file.write_text("title = ")
        await pilot.press("right")
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        assert "Settings not usable" in text_of(app)
        assert screen.table.items["title"].value == "on"
        assert Home(tmp_path).settings_file.read_text() == "title = "


async def test_a_new_training_begins_with_the_model_and_preset_that_were_picked(
    tmp_path: Path,
) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await open_settings(app, pilot, "default_model")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ModelPicker) and "demo" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.session.settings.default_model == "demo")
        app.screen.table.cursor = "default_preset"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PresetDialog))
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.session.settings.default_preset == "classic")
    given = {"default_model": "demo", "default_preset": "classic"}
    async with opened(engine, tmp_path, LARGE, **given) as (app, pilot):
        home = app.screen
        assert isinstance(home, HomeScreen)
        await until(pilot, lambda: home.training.model is not None)
        assert home.training.wishes.preset == "classic"
        assert home.training.dataset_row.has_focus


async def test_a_model_of_the_settings_that_is_gone_is_said_at_its_step(tmp_path: Path) -> None:
    engine = FakeEngine()

    async def gone(name: str) -> object:
        raise NotFoundError("Model not found", f"There is no '{name}'.", "Pick another.")

    engine.model = gone  # type: ignore[method-assign]
    async with opened(engine, tmp_path, LARGE, default_model="old") as (app, pilot):
        await until(pilot, lambda: "There is no 'old'. Pick another." in text_of(app))
        assert not isinstance(app.screen, ErrorDialog)


async def test_another_language_opens_the_app_again_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(FakeEngine([running()]), tmp_path, LARGE, language="en") as (app, pilot):
        await open_settings(app, pilot, "language")
        await pilot.press("right")
        await until(pilot, lambda: app.reopens)
    seen = []

    class Once:
        def __init__(self, home: Home, *, settings: Settings, draft: Draft | None) -> None:
            seen.append((settings.language, spoken(), draft))
            self.reopens = None if draft else app.reopens

        def run(self) -> None:
            """Show nothing."""

    monkeypatch.setattr(tui.run, "LoraDeckApp", Once)
    tui.run.run_dashboard(Home(tmp_path))
    assert seen == [("zh_CN", "zh_CN", None), ("zh_CN", "zh_CN", Draft())]
    monkeypatch.setattr(tui.run, "encoding_of_terminal", lambda: "iso8859-1")
    tui.run.run_dashboard(Home(tmp_path))
    assert seen[-1] == ("zh_CN", "en", Draft())


async def test_opened_again_the_settings_stand_at_the_language(tmp_path: Path) -> None:
    app = LoraDeckApp(Home(tmp_path), FakeEngine(), draft=Draft())  # type: ignore[arg-type]
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await until(pilot, lambda: app.screen.table.cursor == "language")


async def test_opened_again_home_has_what_was_chosen(tmp_path: Path) -> None:
    wishes = Wishes("classic", {"lora_rank": 8})
    draft = Draft(ALPACA, {"instruction": "q"}, True, "demo", wishes, "mine")
    app = LoraDeckApp(Home(tmp_path), FakeEngine(), draft=draft)  # type: ignore[arg-type]
    async with app.run_test() as pilot:
        training = app.ways.home.training
        await until(pilot, lambda: training.plan_panel.ready)
        assert training.draft == draft


async def to_settings(pilot: Pilot[None]) -> None:
    """Open the settings of a home that is at the same place everywhere."""
    app = pilot.app
    app.session.home = Home(Path("/home/u/.local/share/loradeck"))
    await pilot.press("comma")
    await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
    await until(pilot, lambda: "cache" in app.screen._sizes)


@SIZES
def test_settings(picture: Picture, size: tuple[int, int]) -> None:
    set_already = {"refresh_seconds": 0.5, "bell": True}
    assert picture.matches(FakeEngine([running()]), to_settings, size, **set_already)
