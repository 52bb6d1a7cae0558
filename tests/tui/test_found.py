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
    app.show_found()
    await until(pilot, lambda: isinstance(app.screen, FoundScreen) and "212 fold" in text_of(app))
    await pilot.press(*["j"] * place)
    screen = app.screen
    assert isinstance(screen, FoundScreen)
    await until(pilot, lambda: screen.found == some_found(ID)[place])
    return screen


async def offered(tmp_path: Path, place: int) -> list[str]:
    """Give what the menu offers for a find."""
    async with opened(scripted(), tmp_path, LARGE) as (app, pilot):
        await show(app, pilot, place)
        await press(app, pilot, "enter", FoundDialog)
        return list(app.screen.menu.items)


async def test_finds_are_listed_with_kind_base_and_state(tmp_path: Path) -> None:
    async with opened(scripted(), tmp_path, LARGE) as (app, pilot):
        await show(app, pilot, PICKLE)
        shown = text_of(app)
        for words in ("adapter  客服-lora", "● base here", "▲ base missing", "✗ not usable",
                      "done-q8_0.gguf", "meta-llama/Llama-3.1-8B-Instruct",
                      "✗ Its weights are a pickle file", "2 links not followed"):  # fmt: skip
            assert words in shown, words


async def test_what_is_offered_depends_on_the_find(tmp_path: Path) -> None:
    assert await offered(tmp_path, OURS) == [
        "chat", "open", "report", "export", "deploy", "further",
    ]  # fmt: skip
    assert await offered(tmp_path, THEIRS) == ["chat", "export", "deploy"]
    assert await offered(tmp_path, MERGED) == ["chat", "base"]


async def test_with_what_cannot_be_used_nothing_is_offered(tmp_path: Path) -> None:
    async with opened(scripted(), tmp_path, LARGE) as (app, pilot):
        screen = await show(app, pilot, BASELESS)
        await pilot.press("enter", "x", "o", "t", "b", "r", "j", "enter", "x")
        assert app.screen is screen


async def test_an_adapter_of_others_is_exported_from_its_folder(tmp_path: Path) -> None:
    engine = scripted()
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await show(app, pilot, THEIRS)
        await press(app, pilot, "x", ExportDialog)
        await pilot.press("enter")
        await until(pilot, lambda: engine.calls["export"])
        assert engine.calls["export"][0].source == "/data/客服-lora"
        await press(app, pilot, "escape", FoundScreen)
        await press(app, pilot, "o", DeployDialog)


async def test_our_own_adapter_leads_to_its_task_and_report(tmp_path: Path) -> None:
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


async def test_what_was_found_can_be_talked_to(tmp_path: Path) -> None:
    async with opened(scripted(), tmp_path, LARGE) as (app, pilot):
        for place, name in ((OURS, "done"), (THEIRS, "/data/客服-lora")):
            await show(app, pilot, place)
            await press(app, pilot, "c", ChatScreen)
            assert app.screen.talk.partner.target == name
            await app.pop_screen()
            await app.pop_screen()


async def test_our_own_adapter_is_trained_further(tmp_path: Path) -> None:
    async with opened(scripted(), tmp_path, LARGE) as (app, pilot):
        await show(app, pilot, OURS)
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
