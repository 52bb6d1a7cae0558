"""The tour: offered, walked through, and not offered again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.home import Home
from screens.help import HelpScreen
from screens.home import HomeScreen
from screens.tour import CARDS, TourScreen
from tests.tui.conftest import SMALL, opened, text_of, until
from tests.tui.fake_engine import FakeEngine

if TYPE_CHECKING:
    from pathlib import Path

OFFER = "New here? F2 shows you around."


async def test_a_fresh_home_offers_the_tour_until_it_was_seen(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path, SMALL) as (app, pilot):
        await until(pilot, lambda: OFFER in " ".join(text_of(app).split()))
        assert app.screen.training.dataset_row.has_focus
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, TourScreen))
        assert "1 of 5" in text_of(app)
        await pilot.press("enter", "left", "left", *["right"] * (len(CARDS) - 1))
        assert "5 of 5" in text_of(app)
        assert not Home(tmp_path).tour_mark.exists()
        await pilot.press("enter")
        await until(pilot, Home(tmp_path).tour_mark.exists)
        assert isinstance(app.screen, HomeScreen)
    async with opened(FakeEngine(), tmp_path, SMALL) as (app, pilot):
        await until(pilot, lambda: not [one for one in app.workers if one.group == "tour"])
        assert "New here?" not in text_of(app)


async def test_help_leads_to_the_tour(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, TourScreen))
        await pilot.press("escape")
        await until(pilot, Home(tmp_path).tour_mark.exists)
        assert isinstance(app.screen, HomeScreen)
