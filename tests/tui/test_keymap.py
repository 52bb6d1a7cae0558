"""The user's own keys: which may be had, what follows at once, and what is wrong in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import screens.keys
from engine.home import Home
from engine.settings import load_settings, save_settings
from screens.home import HomeScreen
from screens.key_dialog import KeyDialog
from screens.keymap import Registry, registry_of
from screens.keys import KeysScreen
from screens.task import TaskScreen
from tests.tui.conftest import LARGE, SIZES, Picture, opened, text_of, until
from tests.tui.fake_engine import FakeEngine, running
from tui.app import LoraDeckApp

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

REGISTRY = registry_of(LoraDeckApp)
PICTURED = ("app.", "help", "tour", "valu")


def test_every_key_of_every_screen_can_be_named_and_is_no_other_programs() -> None:
    for cls in REGISTRY._maps:
        for binding in cls.__dict__.get("BINDINGS", []):
            assert binding.id in REGISTRY.actions, (cls, binding)
            assert not {f"ctrl+{letter}" for letter in "abjos"} & set(binding.key.split(","))


def test_a_free_key_can_be_had() -> None:
    assert REGISTRY.refusal("home.start", "z", {}) == ""
    assert REGISTRY.refusal("home.start", "d", {"home.dataset": "z"}) == ""
    assert REGISTRY.refusal("task.pause", "f9", {}) == ""


@pytest.mark.parametrize(
    ("action", "key", "words"),
    [
        ("home.start", "d", "d is taken: Choose the dataset (home.dataset)."),
        ("home.start", "G", "list.last"),  # of a list on the same screen
        ("home.start", "question_mark", "? is taken"),  # of the whole app
        ("home.start", "ctrl+a", "ctrl+a has another meaning"),
        ("home.start", "ctrl+c", "another meaning"),
        ("home.start", "enter", "enter has another meaning"),
        ("task.pause", "c", "task.c"),
    ],
)
def test_a_key_that_has_another_meaning_is_refused(action: str, key: str, words: str) -> None:
    assert words in REGISTRY.refusal(action, key, {})


async def to_keys(pilot: Pilot[None]) -> None:
    """Open the keys from Home."""
    await pilot.press("comma", "f2")
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, KeysScreen) and app.screen.table.items)


async def give(app: LoraDeckApp, pilot: Pilot[None], action: str, *keys: str) -> None:
    """Give an action the last of these keys, the others being refused."""
    app.screen.table.cursor = action
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, KeyDialog))
    await pilot.press(*keys)


async def test_another_key_is_so_at_once_in_footer_and_help(tmp_path: Path) -> None:
    async with opened(FakeEngine([running()]), tmp_path, LARGE) as (app, pilot):
        await to_keys(pilot)
        await give(app, pilot, "home.dataset", "ctrl+a", "m")
        await until(pilot, lambda: "✗ m is taken: Choose the base model" in text_of(app))
        await pilot.press("z")
        await until(pilot, lambda: isinstance(app.screen, KeysScreen))
        await give(app, pilot, "task.pause", "f9")
        await until(pilot, lambda: len(load_settings(Home(tmp_path)).keymap) == 2)
        await until(pilot, lambda: app._keymap.get("task.hold") == "p")
        await pilot.press("escape", "escape")
        assert isinstance(app.screen, HomeScreen)
        await until(pilot, lambda: " z Dataset" in text_of(app))
        await pilot.press("f1")
        await until(pilot, lambda: "Choose the dataset" in text_of(app))
        line = next(one for one in text_of(app).splitlines() if "Choose the dataset" in one)
        assert " z " in line
        await pilot.press("escape", "t", "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen))
        await until(pilot, lambda: " f9 Pause" in text_of(app))
        await pilot.press("escape", "d")
        assert isinstance(app.screen, HomeScreen)
        await pilot.press("z")
        await until(pilot, lambda: type(app.screen).__name__ == "DatasetPicker")


async def test_keys_are_taken_back_one_or_all(tmp_path: Path) -> None:
    home = Home(tmp_path)
    own = {"home.start": "z", "home.tasks": "s", "home.plan": "f6"}
    save_settings(home, {"keymap": own})
    async with opened(FakeEngine(), tmp_path, LARGE, keymap=own) as (app, pilot):
        await to_keys(pilot)
        app.screen.table.cursor = "home.start"
        await pilot.press("r")
        await until(pilot, lambda: "s is taken: Go to the list of tasks" in text_of(app))
        app.screen.table.cursor = "home.plan"
        await pilot.press("r")
        await until(pilot, lambda: "home.plan" not in load_settings(home).keymap)
        await pilot.press("R")
        await until(pilot, lambda: not load_settings(home).keymap)
        await until(pilot, lambda: not app._keymap)


async def test_what_cannot_be_used_in_the_file_is_said_and_the_rest_is_used(tmp_path: Path) -> None:
    own = {"home.start": "z", "no.such": "x", "home.plan": "ctrl+b", "home.name": "a b"}
    async with opened(FakeEngine(), tmp_path, LARGE, keymap=own) as (app, pilot):
        await until(pilot, lambda: "Keys not usable" in text_of(app))
        for words in ("no.such = x: no such action", "home.plan = ctrl+b", "no name of a key"):
            assert words in text_of(app)
        assert app._keymap == {"home.start": "z"}
        await until(pilot, lambda: " z Start" in text_of(app))


@SIZES
def test_keys(picture: Picture, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    few = Registry(LoraDeckApp)  # a picture of all would be another one with every new key
    few.actions = {name: one for name, one in few.actions.items() if name[:4] in PICTURED}
    monkeypatch.setattr(screens.keys, "registry_of", lambda _: few)

    async def lead(pilot: Pilot[None]) -> None:
        await to_keys(pilot)
        pilot.app.screen.table.cursor = "help.up"

    assert picture.matches(FakeEngine([running()]), lead, size, keymap={"help.up": "f6"})
