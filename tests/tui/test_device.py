"""Choosing the device of a training, and looking at the plan for a card that is not here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from screens.device_dialog import DeviceDialog
from screens.home import HomeScreen
from screens.plan import PlanScreen
from tests.tui.conftest import LARGE, SIZES, Picture, burst, opened, text_of, until
from tests.tui.fake_engine import CARDS, CPU, FakeEngine
from tests.tui.test_home import home_of
from tests.tui.test_plan import open_plan

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import LoraDeckApp


@pytest.fixture
def engine() -> FakeEngine:
    """An engine on a machine with two cards."""
    made = FakeEngine()
    made.known_devices = [*CARDS, CPU]
    return made


async def open_devices(app: LoraDeckApp, pilot: Pilot[None]) -> DeviceDialog:
    """Ask for the device, on the plan's screen."""
    await pilot.press("d")
    await until(pilot, lambda: isinstance(app.screen, DeviceDialog) and app.screen.table.items)
    assert isinstance(app.screen, DeviceDialog)
    return app.screen


async def planned(pilot: Pilot[None], words: str) -> None:
    """Wait for the plan that says so."""
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, PlanScreen) and words in text_of(app))


async def test_a_card_is_chosen_and_left_again(engine: FakeEngine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as (app, pilot):
        await open_plan(app, pilot)
        assert "1.2 GB of 24.9 GB free" in text_of(app)
        await open_devices(app, pilot)
        shown = text_of(app)
        for words in ("● automatic", "takes NVIDIA RTX A5000 (card 1)", "24.9 GB of 25.3 GB free",
                      "CPU, 2 cores"):  # fmt: skip
            assert words in shown
        await pilot.press("j", "j")
        await until(pilot, lambda: "python (812), 20.1 GB" in text_of(app))
        await pilot.press("enter")
        await planned(pilot, "1.2 GB of 4.7 GB free")
        assert "✎ NVIDIA RTX A5000 (card 0)  chosen by you" in text_of(app)
        assert engine.calls["plan"][-1].device == "GPU-0f00"
        await pilot.press("R")
        assert home_of(app).training.wishes.device is not None
        dialog = await open_devices(app, pilot)
        assert dialog.table.cursor == "GPU-0f00"
        burst(app, "g", "enter")
        await planned(pilot, "1.2 GB of 24.9 GB free")
        assert engine.calls["plan"][-1].device == ""


async def test_the_start_goes_to_the_chosen_device(engine: FakeEngine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await open_plan(app, pilot)
        await open_devices(app, pilot)
        burst(app, "G", "enter")
        await planned(pilot, "✎ CPU, 2 cores")
        await pilot.press("s")
        await until(pilot, lambda: engine.calls["train"])
        assert engine.calls["train"][0].device == "cpu"


async def test_a_plan_for_another_card_can_be_looked_at_only(
    engine: FakeEngine, tmp_path: Path
) -> None:
    async with opened(engine, tmp_path) as (app, pilot):
        await open_plan(app, pilot)
        dialog = await open_devices(app, pilot)
        await pilot.press("slash", *"4090")
        await until(pilot, lambda: "RTX 4090 24GB" in text_of(app))
        await pilot.press("enter")
        await planned(pilot, "RTX 4090 24GB  ▲ not here")
        assert engine.calls["plan"][-1].device == "RTX 4090 24GB"
        await pilot.press("s")
        await until(pilot, lambda: "Only to look at" in text_of(app))
        assert isinstance(app.screen, PlanScreen)
        app.clear_notifications()
        await pilot.press("escape")
        home = home_of(app)
        assert isinstance(app.screen, HomeScreen)
        await until(pilot, lambda: "Only to look at: this card is not" in text_of(app))
        home.training.start()
        await pilot.pause()
        assert not engine.calls["train"]
        await pilot.press("p")
        dialog = await open_devices(app, pilot)
        assert dialog.table.cursor == "RTX 4090 24GB"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("rtx 3060 6gb", "RTX 3060 6GB"),
        ("memory=24GB,capability=8.9", "memory=24GB,capability=8.9"),
        ("a5000 card", "There is no card 'a5000 card' in the table."),
        ("a5000", "NVIDIA RTX A5000 (card 0)"),
    ],
)
async def test_any_card_can_be_spelled(
    engine: FakeEngine, tmp_path: Path, typed: str, words: str
) -> None:
    async with opened(engine, tmp_path) as (app, pilot):
        await open_plan(app, pilot)
        dialog = await open_devices(app, pilot)
        await pilot.press("slash")
        dialog.field.value = typed
        await until(pilot, lambda: words in " ".join(text_of(app).split()))
        burst(app, "down", "escape")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        assert home_of(app).training.wishes.device is None


async def test_a_chosen_device_that_is_gone_is_said_and_left(
    engine: FakeEngine, tmp_path: Path
) -> None:
    async with opened(engine, tmp_path) as (app, pilot):
        await open_plan(app, pilot)
        await open_devices(app, pilot)
        burst(app, "j", "enter")
        await planned(pilot, "chosen by you")
        engine.known_devices = [CPU]
        home_of(app).training.choices_changed()
        await planned(pilot, "d leaves the device NVIDIA RTX A5000 (card 1).")
        await open_devices(app, pilot)
        burst(app, "g", "enter")
        await planned(pilot, "CPU, 2 cores")


async def test_the_palette_finds_the_device(engine: FakeEngine, tmp_path: Path) -> None:
    async with opened(engine, tmp_path) as (app, pilot):
        await open_plan(app, pilot)
        await pilot.press("escape", "ctrl+p")
        await pilot.press(*"choose device")
        await until(pilot, lambda: "The card or processor to train on" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DeviceDialog))


async def to_chosen(pilot: Pilot[None]) -> None:
    """Open the plan for the fuller of two cards."""
    app: LoraDeckApp = pilot.app  # type: ignore[assignment]
    await open_plan(app, pilot)
    await open_devices(app, pilot)
    await pilot.press("j", "j", "enter")
    await planned(pilot, "chosen by you")


async def to_devices(pilot: Pilot[None]) -> None:
    """Open the devices, with the cursor on the chosen card."""
    await to_chosen(pilot)
    await open_devices(pilot.app, pilot)  # type: ignore[arg-type]


@SIZES
def test_plan_with_two_cards(engine: FakeEngine, picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(engine, to_chosen, size)


@SIZES
def test_devices(engine: FakeEngine, picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(engine, to_devices, size)
