"""The models and adapters of this machine, and what can be done with each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.chat import ChatScreen
from screens.dialogs import ErrorDialog
from screens.found import FoundScreen
from screens.found_dialog import FoundDialog
from screens.home import HomeScreen
from screens.report import ReportScreen
from screens.results_dialogs import DeployDialog, ExportDialog
from screens.task import TaskScreen
from tests.tui.conftest import LARGE, opened, text_of, until
from tests.tui.fake_engine import DEMO, FakeEngine
from tests.tui.fake_results import report, some_found
from tests.tui.test_results import DONE, ID, press

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import LoraDeckApp

OURS, THEIRS, BASELESS, PICKLE, MERGED, GGUF = range(6)


def scripted() -> FakeEngine:
    """Make an engine that finds one of each kind."""
    engine = FakeEngine([DONE])
    engine.found = some_found(ID)
    engine.reports[ID] = report(ID)
    return engine


async def show(app: LoraDeckApp, pilot: Pilot[None], place: int = 0) -> FoundScreen:
    """Open the list, and go down to a find."""
    app.ways.show_found()
    await until(pilot, lambda: isinstance(app.screen, FoundScreen) and "212 fold" in text_of(app))
    await pilot.press(*["j"] * place)
    screen = app.screen
    assert isinstance(screen, FoundScreen)
    await until(pilot, lambda: screen.found == some_found(ID)[place])
    return screen


async def test_finds_are_listed_and_offer_what_can_be_done_with_them(tmp_path: Path) -> None:
    async with opened(scripted(), tmp_path, LARGE) as (app, pilot):
        await show(app, pilot, PICKLE)
        shown = text_of(app)
        for words in ("adapter  客服-lora", "● base here", "▲ base missing", "✗ not usable",
                      "done-q8_0.gguf", "meta-llama/Llama-3.1-8B-Instruct",
                      "✗ Its weights are a pickle file", "2 links not followed"):  # fmt: skip
            assert words in shown, words
        screen = app.screen
        await pilot.press("enter", "x", "o", "t", "b", "r", "k", "enter", "x")
        assert app.screen is screen  # nothing can be done with these two
        ways = {OURS: ["chat", "open", "report", "export", "deploy", "further"],
                THEIRS: ["chat", "export", "deploy"], MERGED: ["chat", "base"]}  # fmt: skip
        for place, offered in ways.items():
            await pilot.press("g", *["j"] * place)
            await press(app, pilot, "enter", FoundDialog)
            assert list(app.screen.menu.items) == offered
            await press(app, pilot, "escape", FoundScreen)


async def test_an_adapter_of_others_is_exported_deployed_and_talked_to(tmp_path: Path) -> None:
    engine = scripted()
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await show(app, pilot, THEIRS)
        await press(app, pilot, "x", ExportDialog)
        await pilot.press("enter")
        await until(pilot, lambda: engine.calls["export"])
        assert engine.calls["export"][0].source == "/data/客服-lora"
        await press(app, pilot, "escape", FoundScreen)
        await press(app, pilot, "o", DeployDialog)
        await press(app, pilot, "escape", FoundScreen)
        await press(app, pilot, "c", ChatScreen)
        assert app.screen.talk.partner.target == "/data/客服-lora"


async def test_our_own_adapter_leads_to_its_task_report_chat_and_next_training(
    tmp_path: Path,
) -> None:
    async with opened(scripted(), tmp_path, LARGE) as (app, pilot):
        await show(app, pilot, OURS)
        await press(app, pilot, "r", ReportScreen)
        await press(app, pilot, "q", FoundScreen)
        await press(app, pilot, "enter", FoundDialog)
        await press(app, pilot, "escape", FoundScreen)
        await press(app, pilot, "enter", FoundDialog)
        await pilot.press("j")
        await press(app, pilot, "enter", TaskScreen)
        assert app.screen.task_id == ID
        await press(app, pilot, "escape", FoundScreen)
        await press(app, pilot, "c", ChatScreen)
        assert app.screen.talk.partner.target == "done"
        await press(app, pilot, "escape", FoundScreen)
        await press(app, pilot, "t", HomeScreen)
        await until(pilot, lambda: app.screen.training.wishes.adapter == "done")


async def test_a_merged_model_becomes_the_next_base(tmp_path: Path) -> None:
    engine = scripted()
    path = some_found(ID)[MERGED].path
    engine.known_models[path] = DEMO.model_copy(update={"name": path})
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await show(app, pilot, MERGED)
        await press(app, pilot, "b", HomeScreen)
        await until(pilot, lambda: app.screen.training.model)
        assert app.screen.training.model.name == path


async def test_a_folder_of_ones_own_is_looked_into(tmp_path: Path) -> None:
    engine = scripted()
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        screen = await show(app, pilot)
        await pilot.press("slash", *"/nowhere", "enter")
        await until(pilot, lambda: "✗ No such folder" in text_of(app))
        assert not isinstance(app.screen, ErrorDialog)
        screen.field.value = "/data"
        await pilot.press("enter")
        await until(pilot, lambda: len(screen.table.items) == 3)
        assert engine.calls["scan_models"] == ["", "/nowhere", "/data"]
        assert screen.table.has_focus
