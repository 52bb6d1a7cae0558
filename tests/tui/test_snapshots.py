"""Pictures of every screen; new ones by ``pytest tests/tui --snapshot-update``, then look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.tasks.view import TaskView
from screens.dataset_picker import DatasetPicker
from screens.draft import ChosenDataset
from screens.home import HomeScreen
from screens.model_picker import ModelPicker
from screens.task import TaskScreen
from tests.tui.conftest import LARGE, SMALL, make_app, settled, text_of, until
from tests.tui.fake_engine import ABSENT, DEMO, FakeEngine, inspection, some_tasks, training_events

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
DONE = "00000003"


def scripted(*, tasks: bool = True) -> FakeEngine:
    """Make an engine with something of everything."""
    engine = FakeEngine(some_tasks() if tasks else [])
    engine.event_script["00000001"] = training_events(11)
    engine.event_script[DONE] = training_events(24, completed=True)
    if tasks:
        done = engine.views[DONE].task
        engine.views[DONE] = TaskView(task=done, step=24, max_steps=24, device="CPU, 2 cores")
    engine.known_models["org/absent"] = ABSENT.model_copy(update={"name": "org/absent"})
    return engine


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
    ) -> bool:
        """Tell whether the app looks as it did."""
        app = make_app(engine, self._root)
        app.theme = theme

        async def before(pilot: Pilot[None]) -> None:
            await settled(pilot, engine)
            await lead(pilot)
            await pilot.pause()

        return self._compare(app, terminal_size=size, run_before=before)


@pytest.fixture
def picture(snap_compare: Callable[..., bool], tmp_path: Path) -> Picture:
    """A picture to compare with."""
    return Picture(snap_compare, tmp_path)


async def stay(pilot: Pilot[None]) -> None:
    """Stay at Home."""


async def choose(pilot: Pilot[None]) -> None:
    """Choose dataset and model, and wait for the plan."""
    home = pilot.app.screen
    assert isinstance(home, HomeScreen)
    home.training.take_dataset(ChosenDataset(inspection()))
    home._model_picked(DEMO)
    await until(pilot, lambda: home.training.start_row.button.has_focus)


async def to_datasets(pilot: Pilot[None]) -> None:
    """Open the dataset picker."""
    await pilot.press("d")
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, DatasetPicker) and app.screen._shown)
    await until(pilot, lambda: app.screen.files.root.children)


async def to_models(pilot: Pilot[None]) -> None:
    """Open the model picker."""
    await pilot.press("m")
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, ModelPicker) and app.screen.table.items)


def to_task(task_id: str, words: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Give a way to a task's screen, until it shows these words and the curve."""

    async def lead(pilot: Pilot[None]) -> None:
        app = pilot.app
        app.screen.query_one("#tasks").focus()
        app.screen.tasks.cursor = task_id
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen) and app.screen._plot)
        await until(pilot, lambda: app.screen._plot._datasets and words in text_of(app))
        await until(pilot, lambda: app.screen._drawing is None)

    return lead


async def to_help(pilot: Pilot[None]) -> None:
    """Open the help."""
    await pilot.press("question_mark")


@SIZES
def test_a_fresh_home(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(tasks=False), stay, size)


@SIZES
def test_home_with_tasks_and_plan(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), choose, size)


@SIZES
def test_home_in_light(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), choose, size, "loradeck-light")


@SIZES
def test_dataset_picker(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_datasets, size)


@SIZES
def test_model_picker(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_models, size)


@SIZES
def test_running_task(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_task("00000001", "step 11/24  loss"), size)


@SIZES
def test_completed_task(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_task(DONE, "What the training changed"), size)


@SIZES
def test_help(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_help, size)
