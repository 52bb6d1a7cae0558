"""What a model may say: markup, control characters, words without end, and very much of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from screens.home import HomeScreen
from tests.tui.conftest import opened, text_of, until
from tests.tui.fake_chat import answer, answered
from tests.tui.test_chat import ask, chat_of, talking
from tests.tui.test_control_characters import ACTED_ON, POISON, poisoned
from tests.tui.test_snapshots_chat import WAYS, scripted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.fake_engine import FakeEngine

LONG = 100_000


def hostile(engine: FakeEngine) -> FakeEngine:
    """Let everything that an engine tells of chats be written by somebody hostile."""
    engine.views = {key: poisoned(view) for key, view in engine.views.items()}
    engine.answers = {
        base: [poisoned(event) for event in events]
        for base, events in engine.answers.items()
        if isinstance(events, list)
    }
    engine.kept = {key: poisoned(one) for key, one in engine.kept.items()}
    engine.known_assistants = {key: poisoned(one) for key, one in engine.known_assistants.items()}
    engine.held = poisoned(engine.held)
    return engine


@pytest.mark.parametrize("way", ["waiting", "compare", "history", "assistants", "adapters"])
async def test_no_chat_hands_on_control_characters(way: str, tmp_path: Path) -> None:
    make, lead = WAYS[way]
    async with opened(hostile(make()), tmp_path, (120, 50)) as (app, pilot):
        await lead(pilot)
        while not isinstance(app.screen, HomeScreen):  # what lies beneath as well
            strips = app.screen._compositor.render_strips()
            shown = [segment.text for line in strips for segment in line]
            assert [text for text in shown if ACTED_ON.search(text)] == []
            assert "␛" in "".join(shown)
            await app.pop_screen()
            await pilot.pause()


async def test_markup_is_shown_as_it_is(tmp_path: Path) -> None:
    engine = scripted()
    engine.answers[False] = answer("[red]no[/] [/b] [link='x']", notice="[b]x[/b] [/]")
    async with opened(engine, tmp_path) as (app, pilot):
        await talking(app, pilot)
        await ask(pilot, f"[bold]why[/] [/]{POISON}")
        await until(pilot, lambda: "▲ [b]x[/b] [/]" in text_of(app))
        assert "[red]no[/] [/b] [link='x']" in text_of(app)
        assert "[bold]why[/] [/]" in text_of(app)


@pytest.mark.parametrize(
    "text",
    ["问" * LONG, "word " * (LONG // 10) + "line\n" * (LONG // 10)],
    ids=["wide", "words and lines"],
)
async def test_a_very_long_answer_stays_quick(tmp_path: Path, text: str) -> None:
    engine = scripted()
    piece = answer(text)[1]
    engine.answers[False] = [piece.model_copy(update={"text": text[at : at + 100]})
                             for at in range(0, LONG, 100)] + [answered(text)]  # fmt: skip
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await talking(app, pilot)
        begun = time.process_time()
        await ask(pilot)
        await until(pilot, lambda: "first token" in text_of(app))
        await pilot.press(*"abc")
        await until(pilot, lambda: chat_of(app).area.text == "abc")
        assert time.process_time() - begun < 3.0
        assert screen.talk.turns[-1].answer == text
        assert screen.transcript.scroll_y == screen.transcript.max_scroll_y
