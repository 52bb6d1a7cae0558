"""The assistants: listed, created, edited, deleted and talked to, by keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.results.chat.types import Assistant, Sampling
from engine.tasks.view import TaskView
from screens.adapter_dialog import AdapterDialog
from screens.assistant_editor import AssistantEditor
from screens.assistants import AssistantsScreen
from screens.chat import ChatScreen
from screens.conversations import ConversationsScreen
from screens.dialogs import ConfirmDialog
from screens.home import HomeScreen
from screens.model_picker import ModelPicker
from screens.partner import of_assistant
from tests.tui.conftest import opened, text_of, until
from tests.tui.fake_chat import KEEPER, PLAIN, kept
from tests.tui.fake_engine import BIG, FakeEngine, task
from tests.tui.test_chat import DONE

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import LoraDeckApp


async def listed(app: LoraDeckApp, pilot: Pilot[None]) -> AssistantsScreen:
    """Open the list of assistants."""
    await pilot.press("a")
    await until(pilot, lambda: isinstance(app.screen, AssistantsScreen))
    assert isinstance(app.screen, AssistantsScreen)
    return app.screen


async def editing(app: LoraDeckApp, pilot: Pilot[None], key: str) -> AssistantEditor:
    """Open the form."""
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, AssistantEditor) and app.focused)
    assert isinstance(app.screen, AssistantEditor)
    return app.screen


async def test_an_assistant_is_listed_and_talked_to(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await listed(app, pilot)
        await until(pilot, lambda: "ferry-times on demo" in text_of(app))
        for words in (KEEPER.system, "temperature 0.2 · at most 200 tokens · seed 7",
                      KEEPER.description, "enter Chat"):  # fmt: skip
            assert words in text_of(app)
        await pilot.press("j")
        await until(pilot, lambda: "no system prompt" in text_of(app))
        await pilot.press("k", "enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert app.screen.talk.partner == of_assistant(KEEPER)  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_an_assistant_is_created_with_adapter_and_base_from_lists(tmp_path: Path) -> None:
    big = task("big", "completed", 4, base_model=BIG.name)
    engine = FakeEngine([DONE, TaskView(task=big), TaskView(task=task("open", "pending", 1))])
    engine.known_assistants = {}
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await listed(app, pilot)
        await until(pilot, lambda: "No assistant yet. Press n" in text_of(app))
        await pilot.press("e", "d", "enter")
        assert app.screen is screen
        editor = await editing(app, pilot, "n")
        await pilot.press(*"harbour", "tab", *"Answers sailors", "tab", "f3")
        await until(pilot, lambda: isinstance(app.screen, ModelPicker) and app.screen.table.items)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is editor)
        assert editor._value("base_model") == "demo"
        await pilot.press("tab", "f3")
        await until(pilot, lambda: isinstance(app.screen, AdapterDialog))
        assert list(app.screen.table.items) == ["ferry-times", "big"]  # type: ignore[attr-defined]
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.screen is editor)
        assert editor._value("base_model") == BIG.name
        await pilot.press("tab", *"Be brief.", "tab", *"0.1", "f2")
        await until(pilot, lambda: app.screen is screen)
        made = Assistant(
            name="harbour", base_model=BIG.name, adapter="big", system="Be brief.",
            sampling=Sampling(temperature=0.1), description="Answers sailors",
        )  # fmt: skip
        assert engine.known_assistants == {"harbour": made}
        await until(pilot, lambda: "harbour" in text_of(app))


async def test_what_will_not_do_is_said_in_the_form_and_an_adapter_is_completed(
    tmp_path: Path,
) -> None:
    engine = FakeEngine([DONE])
    async with opened(engine, tmp_path) as (app, pilot):
        await listed(app, pilot)
        editor = await editing(app, pilot, "n")
        await pilot.press(*"plain", "f2")
        words = "There is an assistant 'plain' already. Choose another name."
        await until(pilot, lambda: words in text_of(app))
        await pilot.press("shift+tab", "x", "f2")
        await until(pilot, lambda: "stop" in text_of(app))
        editor.sampling.query_one("#top_p").value = "2"  # type: ignore[attr-defined]
        await until(pilot, lambda: "top_p takes a number, above 0, at most 1" in text_of(app))
        await pilot.press("f2")
        assert app.screen is editor
        assert engine.known_assistants.keys() == {"keeper", "plain"}
        editor.set_focus(editor.query_one("#adapter"))
        await pilot.press(*"fer")
        await until(pilot, lambda: "ferry-times" in text_of(app))
        await pilot.press("right")
        assert editor._value("adapter") == "ferry-times"


async def test_an_assistant_is_edited_and_its_name_stays(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await listed(app, pilot)
        await until(pilot, lambda: "e Edit" in text_of(app))
        editor = await editing(app, pilot, "e")
        assert "Edit keeper" in text_of(app)
        assert not editor.unsaved
        await pilot.press("end", "!", "enter")
        await until(pilot, lambda: app.screen is screen)
        changed = KEEPER.model_copy(update={"description": f"{KEEPER.description}!"})
        assert engine.known_assistants == {"keeper": changed, "plain": PLAIN}


async def test_what_was_written_is_not_lost_unasked(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await listed(app, pilot)
        editor = await editing(app, pilot, "n")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        editor = await editing(app, pilot, "n")
        await pilot.press("x", "escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is editor)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: app.screen is screen)
        assert "x" not in engine.known_assistants


async def test_an_assistant_is_deleted_once_confirmed(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await listed(app, pilot)
        for key, left in (("n", {"keeper", "plain"}), ("y", {"plain"})):
            await until(pilot, lambda: app.screen is screen and "d Delete" in text_of(app))
            await pilot.press("d")
            await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
            await pilot.press(key)
            await until(pilot, lambda: app.screen is screen)
            await until(pilot, lambda left=left: engine.known_assistants.keys() == left)
        await until(pilot, lambda: "keeper" not in text_of(app))


async def test_a_kept_conversation_is_gone_on_with(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.kept = {"c1": kept(1, "Older?", "keeper")}
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await listed(app, pilot)
        await pilot.press("h")
        await until(pilot, lambda: isinstance(app.screen, ConversationsScreen))
        await until(pilot, lambda: "Older?" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await until(pilot, lambda: "Older?" in text_of(app) and "keeper on demo" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)


async def test_the_palette_goes_on_with_a_conversation(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await pilot.press("ctrl+p", *"conversations")
        await until(pilot, lambda: "Go on with one that was kept" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "No conversation yet." in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
