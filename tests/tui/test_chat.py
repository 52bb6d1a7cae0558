"""The chat's screen: asking, stopping, asking anew, comparing, and what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from engine.errors import DiskFullError, EngineUnavailableError, LoraDeckError
from engine.results.chat.types import Failed, Sampling
from engine.tasks.view import TaskView
from screens.chat import ChatScreen
from screens.chat_settings import SettingsDialog
from screens.conversations import ConversationsScreen
from screens.dialogs import ConfirmDialog, ErrorDialog
from screens.home import HomeScreen
from screens.model_picker import ModelPicker
from screens.partner import Partner, of_assistant
from screens.widgets import turn_view
from screens.widgets.keys_line import KeysLine
from tests.tui.conftest import LARGE, SMALL, burst, opened, text_of, until
from tests.tui.fake_chat import BASE_SAID, HELD, KEEPER, SAID, answer, kept
from tests.tui.fake_engine import FakeEngine, task
from tests.tui.test_home import home_of
from tests.tui.test_task import show

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from textual.app import App
    from textual.pilot import Pilot

    from tui.app import LoraDeckApp

DONE = TaskView(task=task("ferry-times", "completed", 3, final_loss=0.388))
FERRY = Partner("ferry-times", "demo", adapted=True)
QUESTION = "Who keeps the lighthouse?"


def chat_of(app: App[None]) -> ChatScreen:
    """Give the chat, which is on top."""
    assert isinstance(app.screen, ChatScreen)
    return app.screen


async def talking(app: LoraDeckApp, pilot: Pilot[None], partner: Partner = FERRY) -> ChatScreen:
    """Open a chat."""
    await app.push_screen(ChatScreen(app.session, partner))
    await until(pilot, lambda: chat_of(app).area.has_focus)
    chat_of(app).area.cursor_blink = False
    return chat_of(app)


async def ask(pilot: Pilot[None], question: str = QUESTION) -> None:
    """Write a question, send it and wait for the answer's end."""
    screen = chat_of(pilot.app)
    screen.area.put(question)
    await pilot.press("enter")
    await until(pilot, lambda: not screen.answering)


def said(engine: FakeEngine, place: int = -1) -> list[str]:
    """Give the texts that went with a request."""
    return [message.content for message in engine.asked[place].messages]


# Ways into a chat


async def test_a_finished_adapter_is_talked_to_from_list_and_screen(tmp_path: Path) -> None:
    async with opened(FakeEngine([DONE]), tmp_path) as (app, pilot):
        home = home_of(app)
        home.tasks.focus()
        await pilot.pause()
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert chat_of(app).talk.partner == FERRY
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is home)
        await show(app, pilot, DONE.task.id)
        assert "c Chat" in text_of(app)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        await until(pilot, lambda: chat_of(app).area.has_focus)
        await pilot.press("tab", "q")
        await until(pilot, lambda: not isinstance(app.screen, ChatScreen))


async def test_a_base_model_is_talked_to_from_the_models(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, ModelPicker) and "c Chat" in text_of(app))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))
        assert chat_of(app).talk.partner == Partner("demo", "demo")
        await until(pilot, lambda: "f2 Settings" in text_of(app))
        assert "Compare" not in text_of(app)


async def test_the_palette_opens_chats(tmp_path: Path) -> None:
    async with opened(FakeEngine([DONE]), tmp_path) as (app, pilot):
        for target in ("ferry-times", "keeper"):
            await pilot.press("ctrl+p", *f"with {target[:3]}")
            await until(pilot, lambda target=target: f"Chat with {target}" in text_of(app))
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, ChatScreen))
            assert chat_of(app).talk.partner.target == target


# Asking


async def test_an_answer_comes_in_pieces_and_is_kept(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.chat_gate.clear()
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await talking(app, pilot)
        await pilot.press(*"Who?", "enter")
        await until(pilot, lambda: f"{SAID} ▍" in text_of(app))
        assert "esc Stop" in text_of(app)
        assert screen.area.text == ""
        engine.chat_gate.set()
        await until(pilot, lambda: "first token 0.31 s · 42 tokens/s · 12 tokens" in text_of(app))
        assert "▍" not in text_of(app)
        await until(pilot, lambda: "in memory: 540 MB on CPU, 2 cores" in text_of(app))
        (conversation,) = engine.kept.values()
        assert [message.content for message in conversation.messages] == ["Who?", SAID]
        assert (conversation.title, conversation.target) == ("Who?", "ferry-times")
        await ask(pilot, "And\nwhen?")
        assert said(engine) == ["Who?", SAID, "And\nwhen?"]
        (conversation,) = engine.kept.values()
        assert len(conversation.messages) == 4
        request = engine.asked[-1]
        assert (request.target, request.system, request.base) == ("ferry-times", None, False)


async def test_what_is_loaded_is_said_and_how_long_that_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(10_000))
    monkeypatch.setattr(turn_view, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(turn_view, "monotonic", lambda: float(next(seconds)))
    engine = FakeEngine()
    engine.answers[False] = [answer(SAID)[0], answer("")[-1]]
    engine.chat_gate.clear()
    async with opened(engine, tmp_path) as (app, pilot):
        await talking(app, pilot)
        await pilot.press(*"Who?", "enter")
        await until(pilot, lambda: "Loading demo… 1 min" in text_of(app))
        engine.chat_gate.set()
        await until(pilot, lambda: "(nothing)" in text_of(app))


async def test_a_question_may_have_many_lines_and_keys_stay_in_order(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await talking(app, pilot)
        await pilot.press("enter", "a", "ctrl+n", "b")
        app.post_message(events.Paste("c\r\n\x1b[31md"))
        await until(pilot, lambda: screen.area.text == "a\nbc\n␛[31md")
        await pilot.press("enter")
        await until(pilot, lambda: bool(engine.kept))
        assert said(engine) == ["a\nbc\n␛[31md"]
        await until(pilot, lambda: not screen.answering)
        burst(app, "h", "i", "enter", "x")
        await until(pilot, lambda: len(engine.asked) == 2)
        assert said(engine)[-1] == "hi"
        await until(pilot, lambda: screen.area.text == "x")


async def test_esc_stops_an_answer_and_what_was_said_stays(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.chat_gate.clear()
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await talking(app, pilot)
        await pilot.press("f3", *"Who?", "enter")
        await until(pilot, lambda: f"{SAID} ▍" in text_of(app))
        await pilot.press("x", "enter")
        await pilot.pause()
        assert len(engine.asked) == 1
        await pilot.press("escape")
        await until(pilot, lambda: "■ stopped" in text_of(app) and not screen.answering)
        assert engine.chats_open == 0
        assert "Not asked." in text_of(app)
        assert screen.area.text == "x"
        (conversation,) = engine.kept.values()
        assert conversation.messages[-1].content == SAID
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_a_question_stopped_before_its_answer_comes_back_and_leaving_stops_too(
    tmp_path: Path,
) -> None:
    engine = FakeEngine()
    engine.chat_gate.clear()
    engine.answers[False] = answer("")[-1:]
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await talking(app, pilot)
        await pilot.press(*"Who?", "enter")
        await until(pilot, lambda: engine.chats_open)
        await pilot.press("escape")
        await until(pilot, lambda: screen.area.text == "Who?" and not screen.answering)
        assert "Ask ferry-times something." in text_of(app)
        assert engine.kept == {}
        await pilot.press("enter")
        await until(pilot, lambda: engine.chats_open)
        screen.dismiss(None)
        await until(pilot, lambda: not engine.chats_open)


async def test_a_failure_is_a_dialog_and_the_question_comes_back(tmp_path: Path) -> None:
    engine = FakeEngine()
    words = "It [b]needs[/b] 9 GB."
    told = [Failed(title="No memory", message=words, hint="Stop something.")]
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await talking(app, pilot)
        screen.area.put("Who?")
        for failure in (told, EngineUnavailableError("No memory", words)):
            engine.answers[False] = failure  # type: ignore[assignment]
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
            assert words in text_of(app)
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is screen and not screen.answering)
            assert screen.area.text == "Who?"
        engine.answers[False] = answer(SAID)
        await pilot.press("enter")
        await until(pilot, lambda: len(engine.kept) == 1)


async def test_a_conversation_that_cannot_be_kept_goes_on(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.refused_save = DiskFullError("Disk full", "No room in /home/u.")
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await talking(app, pilot)
        await pilot.press(*"Who?", "enter")
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        await pilot.press("escape")
        engine.refused_save = None
        await until(pilot, lambda: app.screen is screen and not screen.answering)
        await ask(pilot)
        assert said(engine) == ["Who?", SAID, QUESTION]


# The last question


async def test_the_last_question_is_asked_again_copied_and_left_for_a_new_one(
    tmp_path: Path,
) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        await talking(app, pilot)
        await pilot.press("f5", "f6", "f7")
        assert engine.asked == []
        await ask(pilot, "One?")
        await ask(pilot, "Two?")
        engine.answers[False] = answer("Another answer.")
        await pilot.press("f5")
        await until(pilot, lambda: "Another answer." in text_of(app))
        await until(pilot, lambda: not chat_of(app).answering)
        assert said(engine) == ["One?", SAID, "Two?"]
        (conversation,) = engine.kept.values()
        texts = [message.content for message in conversation.messages]
        assert texts == ["One?", SAID, "Two?", "Another answer."]
        assert text_of(app).count("Two?") == 1
        engine.answers[False] = LoraDeckError("No memory", "It needs 9 GB.")
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        await pilot.press("escape")
        await until(pilot, lambda: "Another answer." in text_of(app))
        assert [turn.answer for turn in chat_of(app).talk.turns] == [SAID, "Another answer."]
        await pilot.press("f7")
        assert app.clipboard == "Another answer."
        engine.answers[False] = answer(SAID)
        chat_of(app).talk.system = "Be brief."
        await pilot.press("f8")
        await until(pilot, lambda: "Ask ferry-times something." in text_of(app))
        await ask(pilot, "Anew?")
        assert said(engine) == ["Anew?"]
        assert engine.asked[-1].system == "Be brief."
        assert len(engine.kept) == 2


async def test_the_last_question_is_edited(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await talking(app, pilot)
        await ask(pilot, "One?")
        await pilot.press("f6")
        assert screen.area.text == "One?"
        assert "Your last question, to be asked anew" in text_of(app)
        await pilot.press("escape")
        assert screen.area.text == ""
        await pilot.press("f6", "backspace", "!", "enter")
        await until(pilot, lambda: len(engine.asked) == 2 and not screen.answering)
        assert said(engine) == ["One!"]
        (conversation,) = engine.kept.values()
        assert [message.content for message in conversation.messages] == ["One!", SAID]
        assert "One?" not in text_of(app)


async def test_beside_the_question_letters_are_keys_too(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path, (80, 12)) as (app, pilot):
        screen = await talking(app, pilot)
        for number in range(2):
            await ask(pilot, f"Question {number}?")
        transcript = screen.transcript
        bottom = transcript.scroll_y
        await pilot.press("pageup")
        await until(pilot, lambda: transcript.scroll_y < bottom)
        await pilot.press("pagedown")
        await until(pilot, lambda: transcript.scroll_y == bottom)
        await pilot.press("tab", "k", "k")
        await until(pilot, lambda: transcript.scroll_y < bottom)
        await pilot.press("g")
        await until(pilot, lambda: transcript.scroll_y == 0)
        await pilot.press("G")
        await until(pilot, lambda: transcript.scroll_y == bottom)
        await pilot.press("y", "r")
        await until(pilot, lambda: len(engine.asked) == 3 and not screen.answering)
        await pilot.press("e")
        assert screen.area.text == "Question 1?"
        assert screen.area.has_focus
        await pilot.press("escape", "tab", "n")
        await until(pilot, lambda: screen.talk.turns == [])


# Comparing


async def test_the_base_answers_beside_or_beneath(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        screen = await talking(app, pilot)
        await ask(pilot, "One?")
        await pilot.press("f3")
        assert "base beside" in text_of(app)
        await ask(pilot, "Two?")
        await until(pilot, lambda: "base demo" in text_of(app))
        adapter, base = screen.query("TurnView").last().query("AnswerView").results()
        assert adapter.region.y == base.region.y
        await pilot.resize_terminal(*SMALL)
        await until(pilot, lambda: adapter.region.bottom <= base.region.y)
        await ask(pilot, "Three?")
        assert said(engine, -2) == ["One?", SAID, "Two?", SAID, "Three?"]
        assert said(engine, -1) == ["One?", SAID, "Two?", BASE_SAID, "Three?"]
        assert [request.base for request in engine.asked] == [False, False, True, False, True]
        (conversation,) = engine.kept.values()
        assert conversation.base_answers == ("", BASE_SAID, BASE_SAID)
        await pilot.press("f3")
        await ask(pilot, "Four?")
        assert not engine.asked[-1].base


async def test_the_adapters_answer_is_kept_where_the_base_fails(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.answers[True] = LoraDeckError("No memory", "It needs 9 GB.")
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await talking(app, pilot)
        await pilot.press("f3", *"Who?", "enter")
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen and not screen.answering)
        assert "✗ It needs 9 GB." in text_of(app)
        assert screen.talk.turns[-1].answer == SAID
        assert len(engine.kept) == 1
        engine.answers[False] = answer(SAID)[:-1]  # the engine ended in its midst
        await ask(pilot)
        await until(pilot, lambda: "Not asked." in text_of(app))
        assert not engine.asked[-1].base


# Settings and history


async def test_settings_go_with_the_next_question(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await talking(app, pilot)
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, SettingsDialog))
        await pilot.press(*"Brief.", "tab", "9", "f2")
        await until(pilot, lambda: "temperature takes a number, at least 0" in text_of(app))
        await pilot.press("backspace", "0", "down", "down", "down", "down", "8", "down", "down")
        await pilot.press(*"###", "enter")
        await until(pilot, lambda: app.screen is screen)
        await until(pilot, lambda: "system prompt · temperature 0 · at most 8" in text_of(app))
        await ask(pilot)
        wanted = Sampling(temperature=0, max_tokens=8, stop=("###",))
        assert (engine.asked[-1].system, engine.asked[-1].sampling) == ("Brief.", wanted)
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, SettingsDialog))
        await pilot.press("f3", "f2")
        await until(pilot, lambda: app.screen is screen)
        assert screen.talk.sampling == Sampling()
        await pilot.press("f2", "x", "escape")
        await until(pilot, lambda: app.screen is screen)
        assert screen.talk.system == "Brief."


async def test_an_assistants_prompt_can_be_emptied(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await talking(app, pilot, of_assistant(KEEPER))
        await ask(pilot)
        request = engine.asked[-1]
        assert (request.system, request.sampling) == (KEEPER.system, KEEPER.sampling)
        screen.talk.system = ""
        await ask(pilot)
        assert engine.asked[-1].system == ""


async def test_a_kept_conversation_goes_on_or_is_deleted(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    old = kept(9, "Older?", "keeper", system="Shout.", base_answers=(BASE_SAID,))
    engine.kept = {one.id: one for one in (old, kept(1, "Newer?"), kept(2, "Other?", "demo"))}
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await talking(app, pilot)
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(app.screen, ConversationsScreen))
        await until(pilot, lambda: "d Delete" in text_of(app))
        assert list(app.screen.table.items) == ["c1", "c2", "c9"]  # type: ignore[attr-defined]
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: "c1" not in engine.kept and "Newer?" not in text_of(app))
        await pilot.press("G", "enter")
        await until(pilot, lambda: app.screen is screen and BASE_SAID[:30] in text_of(app))
        assert screen.talk.partner.target == "keeper"
        await ask(pilot, "On?")
        assert said(engine, -2) == ["Older?", SAID, "On?"]
        assert said(engine, -1) == ["Older?", BASE_SAID, "On?"]
        assert engine.asked[-1].system == "Shout."
        assert len(engine.kept["c9"].messages) == 4
        await pilot.press("f4", "escape")
        await until(pilot, lambda: app.screen is screen)


# The memory


async def test_who_waits_for_the_memory_is_said_and_what_an_answer_came_with(
    tmp_path: Path,
) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        await talking(app, pilot)
        await ask(pilot)
        await until(pilot, lambda: "in memory" in text_of(app))
        engine.held = HELD.model_copy(update={"wanted_by": "[b]big[/b]"})
        engine.change(TaskView(task=task("big", "pending", 9)))
        words = "'[b]big[/b]' waits for this chat's memory. F9 lets it go."
        await until(pilot, lambda: words in text_of(app))
        await pilot.press("f9")
        await until(pilot, lambda: "waits for" not in text_of(app))
        assert "in memory" not in text_of(app)
        engine.answers[False] = answer(SAID, notice="On the CPU: the GPU trains.", finish="length")
        await ask(pilot)
        await until(pilot, lambda: "▲ On the CPU: the GPU trains. F9" in text_of(app))
        assert "▲ cut at the longest length" in text_of(app)


async def test_the_footer_has_at_most_seven_keys(tmp_path: Path) -> None:
    async with opened(FakeEngine([DONE]), tmp_path) as (app, pilot):
        await talking(app, pilot)
        await ask(pilot)
        line = app.screen.query_one(KeysLine)
        assert 0 < len(line.keys) <= 7
        assert line.render().cell_length <= 80
        await pilot.press("f1")
        await until(pilot, lambda: "^n shift+enter  Begin a new line" in text_of(app))
