"""Pictures of every screen; new ones by ``pytest tests/tui --snapshot-update``, then look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.types import Scanning
from engine.tasks.view import TaskView
from screens.dataset import DatasetScreen
from screens.dataset_picker import DatasetPicker
from screens.draft import ChosenDataset
from screens.home import HomeScreen
from screens.mapping_dialog import MappingDialog
from screens.model_picker import ModelPicker
from screens.next_plan import Wishes
from screens.plan import PlanScreen
from screens.preset_dialog import PresetDialog
from screens.row_editor import RowEditor
from screens.save_dialog import SaveDialog
from screens.value_dialog import ValueDialog
from tests.tui.conftest import SIZES, Picture, drawn, text_of, until
from tests.tui.fake_engine import (
    ABSENT,
    ALPACA,
    COPIES,
    DEMO,
    FEW_STEPS,
    FakeEngine,
    inspection,
    measured,
    some_tasks,
    training_events,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

DONE = "00000003"


def scripted(*, tasks: bool = True) -> FakeEngine:
    """Make an engine with something of everything."""
    engine = FakeEngine(some_tasks() if tasks else [])
    engine.event_script["00000001"] = training_events(11)
    engine.event_script[DONE] = training_events(24, completed=True)
    if tasks:
        done = engine.views[DONE].task
        engine.views[DONE] = TaskView(task=done, step=24, max_steps=24, device="CPU, 2 cores")
    engine.inspections[measured().path] = measured()
    engine.known_models["org/absent"] = ABSENT.model_copy(update={"name": "org/absent"})
    return engine


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


async def to_measures(pilot: Pilot[None]) -> None:
    """Open the dataset picker on a large dataset with findings."""
    await pilot.press("d")
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, DatasetPicker) and app.screen.known.items)
    app.screen._look(measured().path)
    await until(pilot, lambda: app.screen._shown and app.screen._shown.path == measured().path)


async def to_mapping(pilot: Pilot[None]) -> None:
    """Open the mapping of that dataset."""
    await to_measures(pilot)
    await pilot.press("m")
    await until(pilot, lambda: isinstance(pilot.app.screen, MappingDialog))


async def to_scanning(pilot: Pilot[None]) -> None:
    """Open the dataset picker while a large dataset is looked at."""
    await pilot.press("d")
    app = pilot.app
    await until(pilot, lambda: "312,000 rows looked at" in text_of(app))
    await until(pilot, lambda: app.screen.files.root.children)


async def to_rows(pilot: Pilot[None]) -> None:
    """Open the rows of a dataset, with the demo model chosen."""
    app = pilot.app
    app.session.base_model = "demo"
    app.push_screen(DatasetScreen(app.session, ALPACA, {}, lambda _: None, length=15))
    await until(pilot, lambda: "17 tokens, 9 trained" in text_of(app))
    await pilot.press("j")
    await until(pilot, lambda: "cut off" in text_of(app))


async def to_row_editor(pilot: Pilot[None]) -> None:
    """Edit a row."""
    await to_rows(pilot)
    app = pilot.app
    await pilot.press("e")
    await until(pilot, lambda: isinstance(app.screen, RowEditor) and "trained" in text_of(app))


async def to_save(pilot: Pilot[None]) -> None:
    """Save a new version."""
    await to_rows(pilot)
    await pilot.press("d")
    await until(pilot, lambda: "not saved" in text_of(pilot.app))
    await pilot.press("w")
    await until(pilot, lambda: isinstance(pilot.app.screen, SaveDialog))
    pilot.app.clear_notifications()


async def choose_faulty(pilot: Pilot[None]) -> None:
    """Choose a dataset with rows that cannot train."""
    home = pilot.app.screen
    assert isinstance(home, HomeScreen)
    home.training.take_dataset(ChosenDataset(measured(rows=16)))
    home._model_picked(DEMO)
    await until(pilot, lambda: not home.training.plan_panel.waiting)


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
        await until(pilot, lambda: drawn(app))
        await until(pilot, lambda: words in text_of(app))
        await until(pilot, lambda: drawn(app))
        view = app.screen.view
        if view and view.task.status.ended:
            await until(pilot, lambda: "completed in" in str(app.screen.log_lines._events))
            await pilot.pause()

    return lead


async def to_plan(pilot: Pilot[None]) -> None:
    """Open the plan, with one value set by the user."""
    await choose(pilot)
    app = pilot.app
    await pilot.press("p")
    await until(pilot, lambda: isinstance(app.screen, PlanScreen) and app.screen.parameters.items)
    home = app.screen_stack[0]
    home.training.take_wishes(Wishes("", {"num_epochs": 12}), None)
    await until(pilot, lambda: "48 steps" in text_of(app))
    app.screen.parameters.cursor = "learning_rate"
    await pilot.pause()


async def to_sums(pilot: Pilot[None]) -> None:
    """Open the plan's sums."""
    await to_plan(pilot)
    await pilot.press("m")
    await until(pilot, lambda: pilot.app.screen.sums.has_focus)


async def to_value(pilot: Pilot[None]) -> None:
    """Type a value that the engine refuses."""
    await to_plan(pilot)
    app = pilot.app
    app.screen.parameters.cursor = "max_seq_length"
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, ValueDialog))
    await pilot.press("9", "9", "9", "9")
    await until(pilot, lambda: "over the model's context" in text_of(app))


async def to_presets(pilot: Pilot[None]) -> None:
    """Open the presets."""
    await to_plan(pilot)
    await pilot.press("p")
    await until(pilot, lambda: isinstance(pilot.app.screen, PresetDialog))
    await pilot.press("j")
    await until(pilot, lambda: "whatever the data" in text_of(pilot.app))


async def to_refusal(pilot: Pilot[None]) -> None:
    """Open a plan that a kept value refuses."""
    await to_plan(pilot)
    home = pilot.app.screen_stack[0]
    home.training.take_wishes(Wishes("", {"max_seq_length": 16384}), None)
    await until(pilot, lambda: "Longer than the model" in text_of(pilot.app))


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
def test_measures_of_a_large_dataset(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_measures, size)


@SIZES
def test_looking_at_a_large_dataset(picture: Picture, size: tuple[int, int]) -> None:
    engine = scripted()
    engine.scanning = [Scanning(rows=312_000, share=0.31, findings=(COPIES,))]
    engine.scan_gate.clear()
    assert picture.matches(engine, to_scanning, size)


@SIZES
def test_mapping(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_mapping, size)


@SIZES
def test_faulty_dataset_at_home(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), choose_faulty, size)


@SIZES
def test_rows(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_rows, size)


@SIZES
def test_rows_in_light(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_rows, size, "loradeck-light")


@SIZES
def test_row_editor(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_row_editor, size)


@SIZES
def test_save(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_save, size)


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


@SIZES
def test_plan(picture: Picture, size: tuple[int, int]) -> None:
    engine = scripted()
    engine.plan_findings = (FEW_STEPS,)
    assert picture.matches(engine, to_plan, size)


@SIZES
def test_plan_in_light(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_plan, size, "loradeck-light")


@SIZES
def test_sums_of_a_plan(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_sums, size)


@SIZES
def test_refused_value(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_value, size)


@SIZES
def test_presets(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_presets, size)


@SIZES
def test_refused_plan(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_refusal, size)
