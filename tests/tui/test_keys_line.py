"""The line of keys at the bottom: what it shows, and that a click presses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.help import HelpScreen
from screens.tour import TourScreen
from screens.widgets.keys_line import KeysLine
from tests.tui import test_snapshots_results as results
from tests.tui.conftest import keys_fit, opened, until
from tests.tui.fake_engine import FakeEngine, running

if TYPE_CHECKING:
    from pathlib import Path


async def test_it_follows_the_focus_and_a_click_presses_a_key(tmp_path: Path) -> None:
    async with opened(FakeEngine([running()]), tmp_path) as (app, pilot):
        line = app.screen.query_one(KeysLine)
        await until(pilot, lambda: line.keys)
        before = line.keys
        await pilot.press("t")
        await until(pilot, lambda: line.keys != before)
        text = line.render().plain
        assert all(f" {key.shown} {key.words} " in text for key in line.keys)
        at = text.index("Help")
        await pilot.hover(line, (at, 0))
        assert line.tooltip == next(key.tooltip for key in line.keys if key.words == "Help")
        await pilot.click(line, offset=(at, 0))
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))


async def test_keys_that_no_picture_holds_to_80_columns(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path / "tour") as (app, pilot):
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, TourScreen))
        keys_fit(app)
    async with opened(results.scripted(), tmp_path / "found") as (app, pilot):
        await results.to_finds(pilot)
        await until(pilot, lambda: app.screen.found)
        assert app.screen._possible() >= {"chat", "export", "deploy", "further"}
        keys_fit(app)


async def test_a_narrow_line_leaves_out_keys_but_neither_the_way_back_nor_help(
    tmp_path: Path,
) -> None:
    async with opened(FakeEngine([running()]), tmp_path, (60, 20)) as (app, pilot):
        line = app.screen.query_one(KeysLine)
        await pilot.press("t")
        await until(pilot, lambda: " p Pause " in line.render().plain)
        text = line.render().plain
        assert len(text) <= 60
        assert text.endswith(" q Quit  ? Help ")
