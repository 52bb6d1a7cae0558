"""Home: from the first key to a started training, and what stands in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events

from engine.data.types import Finding
from engine.errors import LoraDeckError
from screens.dataset_picker import DatasetPicker
from screens.draft import ChosenDataset
from screens.home import HomeScreen
from screens.model_picker import ModelPicker
from screens.task import TaskScreen
from tests.tui.conftest import LARGE, SMALL, burst, make_app, opened, text_of, until
from tests.tui.fake_engine import ALPACA, DEMO, FakeEngine, inspection, running, some_tasks, task
from tui.app import LoraDeckApp

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot


def home_of(app: LoraDeckApp) -> HomeScreen:
    """Give the first screen."""
    home = app.screen_stack[0]
    assert isinstance(home, HomeScreen)
    return home


async def choose_both(app: LoraDeckApp, pilot: Pilot[None]) -> HomeScreen:
    """Choose a dataset and a base model without the pickers."""
    home = home_of(app)
    home.training.take_dataset(ChosenDataset(inspection()))
    home._model_picked(DEMO)
    await until(pilot, lambda: not home.training.plan_panel.waiting)
    return home


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_four_times_enter_trains_the_sample(tmp_path: Path, size: tuple[int, int]) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path, size) as (app, pilot):
        home = home_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DatasetPicker) and app.screen.known.items)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ModelPicker) and app.screen.table.items)
        app.screen.table.cursor = "demo"
        await pilot.press("enter")
        await until(pilot, lambda: home.training.start_row.button.has_focus)
        assert home.training.name_row.value == "alpaca_example-demo"
        await pilot.press("enter")
        await until(pilot, lambda: home.tasks.has_focus)
        (request,) = engine.calls["train"]
        assert (request.dataset_file, request.base_model) == (ALPACA, "demo")
        assert request.task_name == "alpaca_example-demo"
        assert home.tasks.cursor in engine.views
        await until(pilot, lambda: home.training.name_row.value == "alpaca_example-demo-2")


@pytest.mark.parametrize("chunk", [4, 2, 1])
async def test_four_enters_count_however_fast_they_come(tmp_path: Path, chunk: int) -> None:
    engine = FakeEngine()
    fetching = DEMO.model_copy(update={"state": "downloading", "progress": 0.5})
    engine.known_models["demo"] = DEMO.model_copy(update={"state": "absent"})
    engine.pulls = [fetching, DEMO]
    engine.plan_gate.clear()
    async with make_app(engine, tmp_path).run_test(size=SMALL) as pilot:  # not connected yet
        app = pilot.app
        assert isinstance(app, LoraDeckApp)
        for _ in range(4 // chunk):
            burst(app, *["enter"] * chunk)
            await pilot.pause()
        engine.plan_gate.set()
        await until(pilot, lambda: engine.calls["train"])
        (request,) = engine.calls["train"]
        assert (request.dataset_file, request.base_model) == (ALPACA, "demo")
        await until(pilot, lambda: home_of(app).tasks.has_focus)
        assert len(app.screen_stack) == 1


async def test_esc_takes_enters_back(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.scan_gate.clear()
    async with opened(engine, tmp_path) as (app, pilot):
        burst(app, "enter", "enter", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, DatasetPicker) and app.screen._wanted)
        await until(pilot, lambda: "Enter counts once" in text_of(app))
        await pilot.press("escape")
        engine.scan_gate.set()
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, DatasetPicker) and app.screen._shown)
        assert not app.screen._wanted


async def test_each_step_has_its_key(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        home = home_of(app)
        for key, screen in (("d", DatasetPicker), ("m", ModelPicker)):
            await pilot.press(key)
            await until(pilot, lambda kind=screen: isinstance(app.screen, kind))
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is home)
        await pilot.press("n")
        assert home.training.name_row.field.has_focus
        await pilot.press("q", "escape", "t")
        assert home.training.name_row.value == "q"
        assert home.tasks.has_focus


async def test_arrows_and_vim_keys_walk_through_the_fields(tmp_path: Path) -> None:
    async with opened(FakeEngine(some_tasks()), tmp_path) as (app, pilot):
        home = home_of(app)
        await pilot.press("j")
        assert home.training.model_row.has_focus
        await pilot.press("down")
        assert home.training.name_row.field.has_focus
        await pilot.press("up", "k")
        assert home.training.dataset_row.has_focus
        await pilot.press("right", "j", "j")
        assert home.tasks.has_focus
        assert home.tasks.cursor == "00000003"
        await pilot.press("G")
        assert home.tasks.cursor == f"{200:08x}"
        await pilot.press("g", "h")
        assert home.training.dataset_row.has_focus


async def test_start_says_what_is_missing_and_goes_there(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        home = home_of(app)
        home.tasks.focus()
        await pilot.press("s")
        assert home.training.dataset_row.has_focus
        assert "Choose a dataset first." in text_of(app)
        assert home.training.start_row.button.disabled


async def test_the_plan_is_shown_once_it_is_made(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.plan_gate.clear()
    async with opened(engine, tmp_path) as (app, pilot):
        home = home_of(app)
        home.training.take_dataset(ChosenDataset(inspection()))
        home._model_picked(DEMO)
        await until(pilot, lambda: "Planning…" in text_of(app))
        assert home.training.start_row.button.has_focus
        engine.plan_gate.set()
        await until(pilot, lambda: home.training.plan_panel.ready)
        assert not engine.calls["train"]
        shown = text_of(app)
        for words in ("5e-4", "1.2 GB of 6.1 GB free", "CPU, 2 cores", "128 tokens", "135 M"):
            assert words in shown


async def test_a_refused_plan_is_said_in_its_place(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.refused_plan = LoraDeckError("Too little memory", "It needs [b]14 GB[/b].", "Close all.")
    async with opened(engine, tmp_path) as (app, pilot):
        home = await choose_both(app, pilot)
        shown = text_of(app)
        assert "Too little memory" in shown
        assert "It needs [b]14 GB[/b]." in shown
        assert "Close all." in shown
        assert home.training.start_row.button.disabled
        await pilot.press("s")
        assert not engine.calls["train"]


async def test_an_error_in_the_plan_disables_the_start(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.plan_findings = (
        Finding(level="error", code="x", message="No answer.", hint="Add it.", count=1, rows=(7,)),
    )
    async with opened(engine, tmp_path) as (app, pilot):
        home = await choose_both(app, pilot)
        assert "✗ error No answer." in text_of(app)
        assert home.training.start_row.button.disabled
        await pilot.press("s")
        assert not engine.calls["train"]


async def test_a_taken_name_is_said_at_the_name(tmp_path: Path) -> None:
    engine = FakeEngine([*some_tasks()])
    async with opened(engine, tmp_path) as (app, pilot):
        home = await choose_both(app, pilot)
        home.training.name_row.field.value = "ferry-times"
        await pilot.pause()
        await pilot.press("s")
        await until(pilot, lambda: home.training.name_row.problem)
        assert home.training.name_row.field.has_focus
        assert "There is a task 'ferry-times' already. Choose another name." in text_of(app)
        await pilot.press("end", "2")
        assert not home.training.name_row.problem
        await pilot.press("enter", "enter")
        await until(pilot, lambda: home.tasks.has_focus)
        assert engine.calls["train"][-1].task_name == "ferry-times2"


async def test_a_name_that_cannot_be_used_is_said_while_typing(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        home = await choose_both(app, pilot)
        home.training.name_row.field.value = "a/b"
        await pilot.pause()
        assert "✗ Name" in text_of(app)
        assert home.training.start_row.button.disabled


async def test_the_users_own_name_stays(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        home = home_of(app)
        home.training.name_row.field.value = "mine"
        await pilot.pause()
        await choose_both(app, pilot)
        assert home.training.name_row.value == "mine"


async def test_a_suggested_name_gives_way_to_another_clients_task(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        home = await choose_both(app, pilot)
        engine.change(running("alpaca_example-demo"))
        await until(pilot, lambda: home.training.name_row.value == "alpaca_example-demo-2")


@pytest.mark.parametrize("focus", ["dataset", "name"])
async def test_a_pasted_path_chooses_the_dataset(tmp_path: Path, focus: str) -> None:
    engine = FakeEngine()
    engine.inspections["/data/my rows.json"] = inspection("/data/my rows.json")
    async with opened(engine, tmp_path) as (app, pilot):
        home = home_of(app)
        (home.training.dataset_row if focus == "dataset" else home.training.name_row.field).focus()
        await pilot.pause()
        app.post_message(events.Paste("'/data/my rows.json'"))
        await until(pilot, lambda: home.training.dataset is not None)
        assert "● Dataset  my rows.json" in text_of(app)
        assert home.training.name_row.value == ""


async def test_a_pasted_path_with_nothing_behind_it_is_said_at_its_step(tmp_path: Path) -> None:
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        home = await choose_both(app, pilot)
        home.training.dataset_row.focus()
        await pilot.pause()
        app.post_message(events.Paste("/data/none.json"))
        await until(pilot, lambda: home.training.dataset_row.state == "problem")
        assert "/data/none.json does not exist. Check the path." in text_of(app)
        assert home.training.start_row.button.disabled


async def test_pasted_text_that_is_no_path_is_refused(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with opened(engine, tmp_path) as (app, pilot):
        app.post_message(events.Paste("hello [b]you[/b]"))
        await until(pilot, lambda: "Not a path" in text_of(app))
        assert not engine.calls["inspect"]


async def test_a_dataset_that_cannot_train_is_a_problem(tmp_path: Path) -> None:
    found = Finding(level="error", code="x", message="No answers.", hint="", count=1, rows=(1,))
    async with opened(FakeEngine(), tmp_path) as (app, pilot):
        home_of(app).training.take_dataset(ChosenDataset(inspection(findings=(found,))))
        await pilot.pause()
        assert "✗ Dataset" in text_of(app)
        assert "No answers." in text_of(app)


async def test_running_tasks_stand_first_and_move_on(tmp_path: Path) -> None:
    engine = FakeEngine(some_tasks())
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        home = home_of(app)
        names = [view.task.task_name for view in home.tasks.items.values()]
        assert names[:2] == ["alpaca_example-demo", "support-bot-3"]
        assert "step 11/24 · epoch 2.8 · loss 0.987" in text_of(app)
        engine.change(running(step=12))
        await until(pilot, lambda: "step 12/24 · epoch 3.0" in text_of(app))
        ended = task("alpaca_example-demo", "completed", final_loss=0.41)
        engine.change(running().model_copy(update={"task": ended}))
        await until(pilot, lambda: "✓ completed  alpaca_example-demo" in text_of(app))
        assert list(home.tasks.items) == [f"{n:08x}" for n in (2, 1, 3, 4, 5, 200)]


async def test_columns_stay_straight_whatever_the_name(tmp_path: Path) -> None:
    async with opened(FakeEngine(some_tasks()), tmp_path, LARGE) as (app, _):
        tasks = home_of(app).tasks
        for y in range(12):
            strip = tasks.render_line(y)
            assert strip.cell_length == tasks.scrollable_content_region.width


async def test_the_cursor_stays_on_its_task(tmp_path: Path) -> None:
    engine = FakeEngine(some_tasks())
    async with opened(engine, tmp_path) as (app, pilot):
        home = home_of(app)
        home.tasks.cursor = "00000005"
        engine.change(running("new", number=0))
        await until(pilot, lambda: "00000000" in home.tasks.items)
        assert home.tasks.cursor == "00000005"
        engine.change(removed=("00000005",))
        await until(pilot, lambda: "00000005" not in home.tasks.items)
        assert home.tasks.cursor in home.tasks.items


async def test_enter_and_the_mouse_open_a_task(tmp_path: Path) -> None:
    async with opened(FakeEngine(some_tasks()), tmp_path, LARGE) as (app, pilot):
        await pilot.press("t", "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.click("#tasks", offset=(5, 4))
        assert home_of(app).tasks.cursor == "00000002"
        await pilot.click("#tasks", offset=(5, 4))
        await until(pilot, lambda: isinstance(app.screen, TaskScreen))


async def test_everything_can_be_reached_at_80x24(tmp_path: Path) -> None:
    engine = FakeEngine(some_tasks())
    engine.plan_findings = tuple(
        Finding(level="warning", code=f"{n}", message="Word " * 30, hint="", count=0, rows=())
        for n in range(8)
    )
    async with opened(engine, tmp_path) as (app, pilot):
        home = await choose_both(app, pilot)
        for widget in (home.tasks, home.training.dataset_row, home.training.start_row.button):
            widget.focus()
            await pilot.pause()
            await until(pilot, lambda seen=widget: seen.region.intersection(app.screen.region).area)
        home.training.dataset_row.focus()
        await pilot.press("pagedown", "pagedown")
        await until(pilot, lambda: home.query_one("#page").scroll_offset.y > 0)


@pytest.mark.parametrize("size", [(40, 12), (80, 8), (300, 90)])
async def test_odd_terminal_sizes_and_no_colour_do_not_break_it(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    engine = FakeEngine(some_tasks())
    async with opened(engine, tmp_path, size) as (app, pilot):
        await choose_both(app, pilot)
        await pilot.resize_terminal(100, 30)
        await pilot.resize_terminal(*size)
        for key in ("d", "escape", "m", "escape", "t", "enter"):
            await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, TaskScreen))
