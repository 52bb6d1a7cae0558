"""A dashboard over a scripted engine, with a frozen clock and without waits."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import textual._wait
from textual import events
from textual.screen import Screen

import screens.dataset
import screens.dataset_picker
import screens.following_jobs
import screens.jobs
import screens.model_picker
import screens.preset_dialog
import screens.row_editor
import screens.saying
import screens.task
import screens.value_dialog
import screens.widgets.charts
import tui.app
from engine.home import Home
from engine.language import LANGUAGES, speak, spoken
from engine.settings import Settings
from screens.widgets.keys_line import KeysLine
from tests.tui.fake_engine import CLASSIC, NOW, FakeEngine
from tui.app import LoraDeckApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from textual.app import App
    from textual.pilot import Pilot

SMALL = (80, 24)
LARGE = (160, 50)
MOST_KEYS = 7
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take the pauses out, and work in a folder that is the same everywhere."""
    monkeypatch.setattr(tui.app, "RETRY_SECONDS", (0.01,))
    monkeypatch.setattr(screens.dataset_picker, "SETTLE_SECONDS", 0)
    monkeypatch.setattr(screens.dataset, "SETTLE_SECONDS", 0)
    monkeypatch.setattr(screens.row_editor, "LIVE_SECONDS", 0)
    monkeypatch.setattr(screens.model_picker, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(screens.following_jobs, "BATCH_SECONDS", 0.01)
    monkeypatch.setattr(screens.jobs, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(screens.value_dialog, "LIVE_SECONDS", 0)
    monkeypatch.setattr(screens.task, "BATCH_SECONDS", 0.01)
    monkeypatch.setattr(screens.task, "PUT_SECONDS", 0.01)
    monkeypatch.setattr(screens.widgets.charts, "DRAW_SECONDS", 0.01)
    monkeypatch.setattr(screens.saying, "PAINT_SECONDS", 0.01)
    monkeypatch.setattr(screens.preset_dialog, "PRESETS", (CLASSIC,))
    # Pilot sleeps for a fiftieth of a second five times a key.
    monkeypatch.setattr(textual._wait, "SLEEP_GRANULARITY", 0.004)
    monkeypatch.setattr(textual._wait, "SLEEP_IDLE", 0.002)
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "mine.jsonl").write_text("{}\n")
    (folder / "notes.pdf").write_text("not a dataset")
    monkeypatch.chdir(folder)


def make_app(engine: FakeEngine, root: Path, **settings: object) -> LoraDeckApp:
    """Make the real app over a scripted engine, the same in every terminal."""
    given = Settings(**{"refresh_seconds": 0.01, "theme": "dark", "glyphs": "unicode"} | settings)
    return LoraDeckApp(Home(root), engine, lambda: NOW, given)  # type: ignore[arg-type]


def burst(app: App[None], *keys: str) -> None:
    """Let keys come in one chunk, as they do over a slow link."""
    characters = {"enter": "\r"}
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else characters.get(key)))


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Let the app run until something is so; fail where it never is."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)
    await pilot.pause()


async def settled(pilot: Pilot[None], engine: FakeEngine) -> None:
    """Let the app connect and show what the engine has."""
    app = pilot.app
    assert isinstance(app, LoraDeckApp)
    await until(pilot, lambda: engine.watchers and app.session.tasks.keys() == engine.views.keys())
    await until(pilot, lambda: not any(one.group == "tour" for one in app.workers))
    await pilot.pause()


@asynccontextmanager
async def opened(
    engine: FakeEngine, root: Path, size: tuple[int, int] = SMALL, **settings: object
) -> AsyncIterator[tuple[LoraDeckApp, Pilot[None]]]:
    """Run the dashboard until it shows what the engine has."""
    app = make_app(engine, root, **settings)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot, engine)
        yield app, pilot


def keys_fit(app: App[None]) -> None:
    """Hold the keys at the bottom to 80 columns, whatever has the focus, in each language."""
    screen, spoken_before = app.screen, spoken()
    focused = screen.focused
    for line in screen.query(KeysLine):
        for widget in (focused, *screen.focus_chain):
            screen.set_reactive(Screen.focused, widget)  # without drawing anything
            for language in LANGUAGES:
                speak(language)
                line.keys = tuple(line._shown())
                assert len(line.keys) <= MOST_KEYS, (widget, line.keys)
                room = min(line.size.width, SMALL[0])
                assert line.render().cell_length <= room, (widget, line.keys)
        speak(spoken_before)
        screen.set_reactive(Screen.focused, focused)
        line.keys = tuple(line._shown())


def drawn(app: LoraDeckApp) -> bool:
    """Tell whether a task's screen is shown, and its charts show all there is."""
    return any(
        charts._plots and charts.curves is not None and charts._drawing is None
        for charts in app.screen.query(screens.widgets.charts.Charts)
    )


def text_of(app: LoraDeckApp) -> str:
    """Give what the screen shows, as text."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines[:height])[
        : (width + 1) * height
    ]


class Picture:
    """Compares the app with its picture, once it has been led somewhere."""

    def __init__(self, compare: Callable[..., bool], root: Path) -> None:
        self._compare, self._root = compare, root

    def matches(
        self,
        engine: FakeEngine,
        lead: Callable[[Pilot[None]], Awaitable[None]],
        size: tuple[int, int],
        theme: str = "loradeck-dark",
        language: str = "en",
        **settings: object,
    ) -> bool:
        """Tell whether the app looks as it did."""
        speak(language)
        app = make_app(engine, self._root, **settings)
        app.theme = theme

        async def before(pilot: Pilot[None]) -> None:
            await settled(pilot, engine)
            await lead(pilot)
            for field in app.screen.query("Input, TextArea"):
                field.cursor_blink = False  # its half second is over at any time on a busy machine
            await pilot.pause()
            keys_fit(app)

        return self._compare(app, terminal_size=size, run_before=before)


@pytest.fixture
def picture(snap_compare: Callable[..., bool], tmp_path: Path) -> Iterator[Picture]:
    """A picture to compare with."""
    yield Picture(snap_compare, tmp_path)
    speak("en")
