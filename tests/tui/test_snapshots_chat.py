"""Pictures of chats and assistants; new ones by ``pytest tests/tui --snapshot-update``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.tasks.view import TaskView
from screens.adapter_dialog import AdapterDialog
from screens.assistant_editor import AssistantEditor
from screens.assistants import AssistantsScreen
from screens.chat_settings import SettingsDialog
from screens.conversations import ConversationsScreen
from screens.widgets.keys_line import KeysLine
from tests.tui.conftest import LARGE, SMALL, Picture, text_of, until
from tests.tui.fake_chat import HELD, answer, kept
from tests.tui.fake_engine import FakeEngine, task
from tests.tui.test_chat import ask, chat_of, talking

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    from tui.app import LoraDeckApp

FERRY = "When does the ferry to Cape Wren leave?"
CHINESE = "灯塔每天早上七点开门，但星期天不开。请在前一天打电话，并带上您的 [票]。" * 2


def scripted() -> FakeEngine:
    """Make an engine with two finished adapters, two assistants and some conversations."""
    engine = FakeEngine([
        TaskView(task=task("ferry-times", "completed", 1, final_loss=0.388)),
        TaskView(task=task("客服机器人-中文数据集-演示", "completed", 2, final_loss=0.412)),
    ])  # fmt: skip
    found = kept(1, FERRY), kept(2, "灯塔在哪里？", "keeper"), kept(30, "Who? " * 40, "demo")
    engine.kept = {one.id: one for one in found}
    return engine


def waiting() -> FakeEngine:
    """Make an engine of which a training wants the chat's memory."""
    engine = scripted()
    engine.held = HELD.model_copy(update={"wanted_by": "support-bot-3"})
    return engine


def slow() -> FakeEngine:
    """Make an engine that stays in the midst of both answers."""
    engine = scripted()
    engine.chat_gate.clear()
    return engine


async def steady(pilot: Pilot[None], *, answering: bool = False) -> None:
    """Wait until the footer too shows that an answer has ended, or has begun."""
    await until(pilot, lambda: answering or "in memory" in text_of(pilot.app))
    line = pilot.app.screen.query_one(KeysLine)
    await until(pilot, lambda: any(
        key.action.removeprefix("screen.") in ("again", "edit") and not key.enabled
        for key in line.keys
    ) is answering)  # fmt: skip


async def to_chat(pilot: Pilot[None]) -> None:
    """Talk, in two languages and with an answer that was cut off."""
    app: LoraDeckApp = pilot.app  # type: ignore[assignment]
    engine: FakeEngine = app.session.client  # type: ignore[assignment]
    await talking(app, pilot)
    await ask(pilot)
    engine.answers[False] = answer(CHINESE, finish="length", tokens=512)
    await ask(pilot, "灯塔什么时候开门？\nWhen does it open?")
    await steady(pilot)
    chat_of(app).area.put("And on Sundays?")


async def to_new_chat(pilot: Pilot[None]) -> None:
    """Begin to talk."""
    await talking(pilot.app, pilot)  # type: ignore[arg-type]
    await until(pilot, lambda: not chat_of(pilot.app).memory.status.loaded)


async def to_waiting(pilot: Pilot[None]) -> None:
    """Be told that a training waits."""
    await talking(pilot.app, pilot)  # type: ignore[arg-type]
    await ask(pilot)
    await until(pilot, lambda: "waits for" in text_of(pilot.app))
    await steady(pilot)


async def to_compare(pilot: Pilot[None]) -> None:
    """Ask both."""
    await talking(pilot.app, pilot)  # type: ignore[arg-type]
    await pilot.press("f3")
    await ask(pilot)
    await steady(pilot)


async def to_answering(pilot: Pilot[None]) -> None:
    """See both answers come."""
    await talking(pilot.app, pilot)  # type: ignore[arg-type]
    await pilot.press("f3", *"Who?", "enter")
    await until(pilot, lambda: "Cape Wren. ▍" in text_of(pilot.app))
    await until(pilot, lambda: "Answers after the adapter." in text_of(pilot.app))
    await steady(pilot, answering=True)


async def to_edit(pilot: Pilot[None]) -> None:
    """Edit the last question."""
    await to_compare(pilot)
    await pilot.press("f6")
    await until(pilot, lambda: "esc Leave" in text_of(pilot.app))


async def to_settings(pilot: Pilot[None]) -> None:
    """Set the temperature too high."""
    await talking(pilot.app, pilot)  # type: ignore[arg-type]
    await pilot.press("f2")
    await until(pilot, lambda: isinstance(pilot.app.screen, SettingsDialog))
    await pilot.press(*"You are brief.", "tab", "9")
    await until(pilot, lambda: "✗" in text_of(pilot.app))


async def to_history(pilot: Pilot[None]) -> None:
    """List the conversations."""
    await talking(pilot.app, pilot)  # type: ignore[arg-type]
    await pilot.press("f4")
    await until(pilot, lambda: isinstance(pilot.app.screen, ConversationsScreen))
    await until(pilot, lambda: "灯塔" in text_of(pilot.app))


async def to_assistants(pilot: Pilot[None]) -> None:
    """List the assistants."""
    await pilot.press("a")
    await until(pilot, lambda: isinstance(pilot.app.screen, AssistantsScreen))
    await until(pilot, lambda: "keeper" in text_of(pilot.app))


async def to_editor(pilot: Pilot[None]) -> None:
    """Edit an assistant."""
    await to_assistants(pilot)
    await pilot.press("e")
    await until(pilot, lambda: isinstance(pilot.app.screen, AssistantEditor))


async def to_new_assistant(pilot: Pilot[None]) -> None:
    """Begin an assistant."""
    await to_assistants(pilot)
    await pilot.press("n")
    await until(pilot, lambda: isinstance(pilot.app.screen, AssistantEditor))


async def to_adapters(pilot: Pilot[None]) -> None:
    """Choose an adapter."""
    await to_editor(pilot)
    await pilot.press("tab", "tab", "f3")
    await until(pilot, lambda: isinstance(pilot.app.screen, AdapterDialog))


WAYS: dict[str, tuple[Callable[[], FakeEngine], Callable[[Pilot[None]], Awaitable[None]]]] = {
    "chat": (scripted, to_chat), "new": (scripted, to_new_chat), "waiting": (waiting, to_waiting),
    "compare": (scripted, to_compare), "answering": (slow, to_answering),
    "edit": (scripted, to_edit), "settings": (scripted, to_settings),
    "history": (scripted, to_history), "assistants": (scripted, to_assistants),
    "editor": (scripted, to_editor), "new-assistant": (scripted, to_new_assistant),
    "adapters": (scripted, to_adapters),
}  # fmt: skip


@pytest.mark.parametrize("way", [way for way in WAYS if way != "compare"])
def test_small(picture: Picture, way: str) -> None:
    engine, lead = WAYS[way]
    assert picture.matches(engine(), lead, SMALL)


@pytest.mark.parametrize("way", ["chat", "compare", "editor"])
def test_large(picture: Picture, way: str) -> None:
    engine, lead = WAYS[way]
    assert picture.matches(engine(), lead, LARGE)


def test_a_chat_in_the_light(picture: Picture) -> None:
    assert picture.matches(scripted(), to_compare, SMALL, "loradeck-light")
