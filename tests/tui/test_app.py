"""The shell: the engine's comings and goings, the palette, the help, and what it must not do."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.command import CommandList, CommandPalette

import screens
from engine.errors import EngineUnavailableError, LoraDeckError
from engine.language import speak
from engine.server.calls import Calls
from engine.server.client import EngineClient
from engine.tasks.view import TaskView
from screens.base import show_failure
from screens.dialogs import ErrorDialog
from screens.help import CONCEPTS, HelpScreen
from screens.home import HomeScreen
from screens.pump import batches
from screens.task import TaskScreen
from screens.widgets.keys_line import KeysLine
from tests.tui.conftest import LARGE, SMALL, make_app, opened, settled, text_of, until
from tests.tui.fake_engine import FakeEngine, running, some_tasks, task
from tui.theme import THEMES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

AWAY = EngineUnavailableError("Engine not reachable", "It does not answer.", "Look at its log.")


def test_the_fake_has_the_clients_interface() -> None:
    for name, member in inspect.getmembers(EngineClient, inspect.isfunction):
        if not name.startswith("_") and name not in vars(Calls):
            fake = inspect.signature(getattr(FakeEngine, name))
            assert list(fake.parameters) == list(inspect.signature(member).parameters), name


def test_the_first_frame_imports_nothing_heavy() -> None:
    code = (
        "import sys, tui.app; heavy = {'pydantic', 'httpx', 'numpy', 'textual_plot', 'torch'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_screens_sheet_reaches_into_another_screen() -> None:
    for sheet in Path(screens.__path__[0]).glob("*.tcss"):
        heads = [line for line in sheet.read_text().splitlines() if line[:1] not in ("", " ", "}")]
        assert heads
        assert all(line[0].isupper() for line in heads), sheet.name


async def test_closed_and_opened_again_the_training_has_gone_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = FakeEngine([running(step=5)])
    async with opened(engine, tmp_path) as (app, pilot):
        await until(pilot, lambda: "step 5/24" in text_of(app))
        await pilot.press("q")
    assert "1 training goes on" in capsys.readouterr().err
    assert engine.calls["close"]
    engine.change(running(step=9))
    async with opened(engine, tmp_path) as (app, pilot):
        await until(pilot, lambda: "step 9/24" in text_of(app))


async def test_a_broken_stream_is_taken_up_again(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    async with opened(engine, tmp_path) as (app, pilot):
        gate = asyncio.Event()
        connect = engine.connect

        async def wait() -> object:
            await gate.wait()
            return await connect()

        engine.connect = wait  # type: ignore[method-assign]
        engine.unreachable = [AWAY]
        engine.break_streams()
        await until(pilot, lambda: "✗ Engine not reachable, trying again" in text_of(app))
        assert isinstance(app.screen, HomeScreen)
        engine.views = {"00000009": running("other", number=9)}
        gate.set()
        await until(pilot, lambda: "● Engine ready" in text_of(app))
        await until(pilot, lambda: "other" in text_of(app))
        assert "alpaca_example-demo" not in text_of(app)
        assert isinstance(app.screen, HomeScreen)


async def test_an_engine_that_never_came_is_said_once_as_a_dialog(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.unreachable = [LoraDeckError("Home not writable", "/x: denied.", "Mend it.")] * 5
    app = make_app(engine, tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        assert "/x: denied." in text_of(app)
        await pilot.press("enter")
        await settled(pilot, engine)
        assert isinstance(app.screen, HomeScreen)
        assert len(engine.calls["connect"]) == 6


async def test_a_failed_worker_becomes_a_dialog_without_a_traceback(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):

        async def fail() -> None:
            raise ValueError("odd [b]thing[/b]")

        worker = app.screen.run_worker(fail(), exit_on_error=False)
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        assert worker.is_finished
        assert "ValueError: odd [b]thing[/b]" in text_of(app)
        assert "Traceback" not in text_of(app)
        await pilot.press("d")
        await until(pilot, lambda: "raise ValueError" in text_of(app))
        await pilot.press("d")
        await until(pilot, lambda: "raise ValueError" not in text_of(app))
        await pilot.press("enter")
        assert isinstance(app.screen, HomeScreen)


async def test_details_tell_what_was_behind_a_failure_and_are_not_offered_without(
    tmp_path: Path,
) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        show_failure(app, LoraDeckError("Not saved", "No room.", "Make some."))
        await until(pilot, lambda: "No room." in text_of(app))
        assert "Details" not in text_of(app)
        await pilot.press("d", "escape")
        failure = LoraDeckError("Not saved", "No room.")
        failure.__cause__ = OSError(28, "told by the disk")
        show_failure(app, failure)
        await until(pilot, lambda: "Details" in text_of(app))
        await pilot.press("d")
        await until(pilot, lambda: "told by the disk" in text_of(app))


async def test_markup_in_a_tasks_name_is_shown_as_it_is_everywhere(tmp_path: Path) -> None:
    views = [TaskView(task=task("[red]x[/]", "running", 1))]
    async with opened(FakeEngine(views), tmp_path) as (app, pilot):
        assert "[red]x[/]" in text_of(app)
        await pilot.press("t", "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen))
        assert "[red]x[/]" in text_of(app)
        await pilot.press("c")
        await until(pilot, lambda: "'[red]x[/]' ends without" in text_of(app))
        await pilot.press("n", "escape", "ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*"open task")
        await until(pilot, lambda: "Open task [red]x[/]" in text_of(app))


@pytest.mark.parametrize(
    ("typed", "found", "screen"),
    [
        ("datas", "Choose dataset", "DatasetPicker"),
        ("choose m", "Choose model", "ModelPicker"),
        ("help", "Help", "HelpScreen"),
        ("support", "Open task support-bot-3", "TaskScreen"),
        ("theme", "Theme", "Palette"),
    ],
)
async def test_the_palette_does_everything(
    tmp_path: Path, typed: str, found: str, screen: str
) -> None:
    async with opened(FakeEngine(some_tasks()), tmp_path, LARGE) as (app, pilot):
        await pilot.press("t", "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen))
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        palette = app.screen
        await pilot.press(*typed)
        await until(pilot, lambda: first_command(palette) == found)
        await pilot.press("enter")
        await until(pilot, lambda: type(app.screen).__name__ == screen and app.screen != palette)
        if screen == "TaskScreen":
            assert app.screen.task_id == "00000002"


async def test_the_palette_chooses_datasets_and_models_by_name(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path, LARGE) as (app, pilot):
        for typed, found in (("sharegpt", "Choose dataset sharegpt_example.json"),
                             ("qwen", "Choose model Qwen/Qwen2.5-7B-Instruct")):  # fmt: skip
            await pilot.press("ctrl+p")
            await until(pilot, lambda: isinstance(app.screen, CommandPalette))
            await pilot.press(*typed)
            await until(pilot, lambda found=found: first_command(app.screen) == found)
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        training = app.screen.training
        await until(pilot, lambda: training.dataset and training.model)
        assert training.dataset.inspection.path == "/samples/sharegpt_example.json"


async def test_the_palette_finds_nothing_in_the_language_that_is_spoken(tmp_path: Path) -> None:
    speak("zh_CN")
    try:
        async with opened(FakeEngine(), tmp_path) as (app, pilot):
            await pilot.press("ctrl+p", *"qqqq")
            await until(pilot, lambda: "没有匹配项" in text_of(app))
    finally:
        speak("en")


async def test_the_palette_finds_a_task_among_very_many(tmp_path: Path) -> None:
    views = [TaskView(task=task(f"bot-{number}", "completed", number)) for number in range(1, 400)]
    async with opened(FakeEngine(views), tmp_path, LARGE) as (app, pilot):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*"bot-399")
        await until(pilot, lambda: "Open task bot-399" in text_of(app))


def first_command(palette: CommandPalette) -> str:
    """Give the first line of what the palette found, where it has settled."""
    commands = palette.query_one(CommandList)
    if not commands.option_count or palette._show_busy:
        return ""
    return str(commands.get_option_at_index(0).prompt).split("\n")[0]


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_lists_this_screens_keys(tmp_path: Path, key: str) -> None:
    async with opened(FakeEngine(), tmp_path, LARGE) as (app, pilot):
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        shown = text_of(app)
        assert "Choose the dataset" in shown
        assert "Close LoRADeck; trainings go on" in shown
        assert CONCEPTS.keys() <= {str(name.content) for name in app.screen.query(".name")}
        await pilot.press("escape")
        assert isinstance(app.screen, HomeScreen)


async def test_every_binding_of_ours_has_id_and_tooltip_and_no_forbidden_key(
    tmp_path: Path,
) -> None:
    forbidden = {f"ctrl+{letter}" for letter in "abjos"}
    async with opened(FakeEngine(some_tasks()), tmp_path) as (app, pilot):
        for keys in ([], ["d"], ["escape", "m"], ["escape", "t", "enter"],
                     ["escape", "d", "m"], ["escape", "e"], ["e"], ["escape", "w"]):  # fmt: skip
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            for owner in (type(app.screen), type(app), *(type(w) for w in app.screen.query("*"))):
                if not owner.__module__.startswith(("tui", "screens")):
                    continue
                for binding in owner.__dict__.get("BINDINGS", []):
                    assert binding.id, binding
                    assert binding.tooltip, binding
                    assert not forbidden & set(binding.key.split(",")), binding


async def test_no_footer_overflows_at_80_columns(tmp_path: Path) -> None:
    done = TaskView(task=task("done", "completed", 3))
    waiting = task("half-done", "paused", 2, resume_step=8)
    queued = task("queued", "pending", 4, resume_step=8)
    views = [running(), TaskView(task=waiting), TaskView(task=queued), done]
    async with opened(FakeEngine(views), tmp_path) as (app, pilot):
        seen = set()
        ways = ([], ["t"], ["n"], ["escape", "d"], ["slash"], ["escape", "m"], ["slash"],
                ["escape", "t", "home"], ["enter"], ["escape", "j"], ["enter"],
                ["escape", "j"], ["enter"], ["escape", "end", "enter"],
                ["escape", "d"], ["e"], ["e"], ["escape"], ["slash"])  # fmt: skip
        for keys in ways:
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            seen.add(type(app.screen).__name__)
            line = app.screen.query_one(KeysLine)
            await until(pilot, lambda shown=line: shown.keys)
            await pilot.pause()
            assert 1 <= len(line.keys) <= 7, keys
            assert line.render().cell_length <= 80, keys
        assert seen >= {"DatasetPicker", "DatasetScreen", "RowEditor", "TaskScreen"}


@pytest.mark.parametrize("theme", [*(theme.name for theme in THEMES), "nord", "ansi-dark"])
async def test_every_theme_is_usable(tmp_path: Path, theme: str) -> None:
    async with opened(FakeEngine(some_tasks()), tmp_path) as (app, pilot):
        app.theme = theme
        await pilot.press("t", "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen))
        assert "► running" in text_of(app)


@pytest.mark.parametrize("begins", ["ansi", "dark"])
async def test_without_tints_the_focus_is_reversed(tmp_path: Path, begins: str) -> None:
    async with opened(FakeEngine(), tmp_path, theme=begins) as (app, pilot):
        row = app.screen.focused
        assert row is not None
        assert bool(row.styles.text_style.reverse) == (begins == "ansi")
        app.theme = "loradeck-ansi"
        await until(pilot, lambda: row.styles.text_style.reverse)


async def test_ten_thousand_tasks_cost_only_the_lines_in_sight(tmp_path: Path) -> None:
    views = [TaskView(task=task(f"t{n}", "completed", n)) for n in range(1, 10_001)]
    engine = FakeEngine([*views, running(number=20_000)])
    async with opened(engine, tmp_path) as (app, pilot):
        home = app.screen
        assert isinstance(home, HomeScreen)
        drawn: list[TaskView | None] = []
        lines_of = home.tasks.lines_of
        home.tasks.lines_of = lambda item, width: (  # type: ignore[method-assign]
            drawn.append(item) or lines_of(item, width)
        )
        engine.change(running(step=12, number=20_000))
        await until(pilot, lambda: "step 12/24" in text_of(app))
        assert len(drawn) < 200
        await pilot.press("t", "end")
        await until(pilot, lambda: "9,800 more tasks in the history" in text_of(app))


async def test_a_fast_stream_comes_in_few_batches_and_whole() -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(5000):
            yield number

    got = [batch async for batch in batches(source(), 0.01)]
    assert [number for batch in got for number in batch] == list(range(5000))
    assert len(got) < 50


async def test_a_streams_failure_comes_after_what_it_brought() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        raise AWAY

    stream = batches(source(), 0)
    assert await anext(stream) == [1]
    with pytest.raises(EngineUnavailableError):
        await anext(stream)


@pytest.mark.parametrize("key", ["d", "m"])
async def test_a_picker_opened_while_the_engine_starts_fills_once_it_is_there(
    key: str, tmp_path: Path
) -> None:
    engine = FakeEngine()
    gate = asyncio.Event()
    connect, datasets, models = engine.connect, engine.datasets, engine.models

    async def wait() -> object:
        await gate.wait()
        return await connect()

    async def only_then(answer: Callable[[], Awaitable[object]]) -> object:
        if not gate.is_set():
            raise AWAY
        return await answer()

    engine.connect = wait  # type: ignore[method-assign]
    engine.datasets = lambda: only_then(datasets)  # type: ignore[method-assign]
    engine.models = lambda: only_then(models)  # type: ignore[method-assign]
    app = make_app(engine, tmp_path)
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press(key)
        await until(pilot, lambda: not isinstance(app.screen, HomeScreen))
        for _ in range(5):
            await pilot.pause()
        assert not isinstance(app.screen, ErrorDialog)
        gate.set()
        await until(pilot, lambda: ("alpaca_example" if key == "d" else "demo") in text_of(app))
        assert not isinstance(app.screen, ErrorDialog)
