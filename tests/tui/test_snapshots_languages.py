"""Screens in each language, in terminals and colours that their own pictures leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from screens.plan import PlanScreen
from screens.task import TaskScreen
from screens.tour import TourScreen
from tests.tui import test_compare, test_device, test_history, test_settings, test_snapshots
from tests.tui import test_snapshots_chat as chats
from tests.tui import test_snapshots_results as results
from tests.tui.conftest import SMALL, Picture, drawn, until
from tests.tui.fake_engine import CARDS, CPU, FakeEngine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    Way = tuple[Callable[[], FakeEngine], Callable[[Pilot[None]], Awaitable[None]]]

MIDDLE = (100, 30)


class Look(NamedTuple):
    """A terminal and its colours."""

    size: tuple[int, int]
    theme: str


LOOKS = {
    "light": Look(MIDDLE, "loradeck-light"),
    "dark": Look(SMALL, "loradeck-dark"),
    "contrast": Look(SMALL, "loradeck-contrast-dark"),
    "ansi": Look(SMALL, "loradeck-ansi"),
}


def to_task(task_id: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Give a way to a task's screen, until its curve is drawn."""

    async def lead(pilot: Pilot[None]) -> None:
        app = pilot.app
        app.push_screen(TaskScreen(app.session, task_id))
        await until(pilot, lambda: drawn(app))

    return lead


async def to_plan(pilot: Pilot[None]) -> None:
    """Open the plan."""
    await test_snapshots.choose(pilot)
    app = pilot.app
    await pilot.press("p")
    await until(pilot, lambda: isinstance(app.screen, PlanScreen) and app.screen.parameters.items)


async def to_tour(pilot: Pilot[None]) -> None:
    """Open the second card of the tour."""
    await pilot.press("f2")
    await until(pilot, lambda: isinstance(pilot.app.screen, TourScreen))
    await pilot.press("right")


def with_cards() -> FakeEngine:
    """Make an engine on a machine with two cards."""
    engine = FakeEngine()
    engine.known_devices = [*CARDS, CPU]
    return engine


async def to_compare(pilot: Pilot[None]) -> None:
    """Compare three tasks."""
    await test_compare.lead(pilot, 3)


SCREENS: dict[str, Way] = {
    "home": (test_snapshots.scripted, test_snapshots.choose),
    "datasets": (test_snapshots.scripted, test_snapshots.to_measures),
    "models": (test_snapshots.scripted, test_snapshots.to_models),
    "plan": (test_snapshots.scripted, to_plan),
    "running": (test_snapshots.scripted, to_task("00000001")),
    "completed": (test_snapshots.scripted, to_task(test_snapshots.DONE)),
    "history": (lambda: FakeEngine(test_history.some_more()), test_history.lead),
    "compare": (lambda: test_compare.scripted(3), to_compare),
    "report": (results.scripted, results.to_report),
    "chat": (chats.scripted, chats.to_new_chat),
    "settings": (FakeEngine, test_settings.to_settings),
    "help": (test_snapshots.scripted, test_snapshots.to_help),
}
MORE: dict[str, Way] = {
    "rows": (test_snapshots.scripted, test_snapshots.to_rows),
    "devices": (with_cards, test_device.to_devices),
    "assistants": (chats.scripted, chats.to_assistants),
    "tour": (lambda: test_snapshots.scripted(tasks=False), to_tour),
}
CHINESE = [(screen, look) for screen in SCREENS for look in ("light", "dark")]
ENGLISH = [
    *((screen, "light") for screen in SCREENS | MORE if screen != "tour"),
    ("tour", "dark"),
    ("home", "contrast"),
    ("running", "ansi"),
]


@pytest.mark.parametrize(("screen", "look"), CHINESE)
def test_in_chinese(picture: Picture, screen: str, look: str) -> None:
    engine, lead = SCREENS[screen]
    size, theme = LOOKS[look]
    assert picture.matches(engine(), lead, size, theme, language="zh_CN")


@pytest.mark.parametrize(("screen", "look"), ENGLISH)
def test_in_english(picture: Picture, screen: str, look: str) -> None:
    engine, lead = (SCREENS | MORE)[screen]
    size, theme = LOOKS[look]
    assert picture.matches(engine(), lead, size, theme)
