"""The history: each key, and that it stays in step while tasks come, change and go."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engine.tasks.view import TaskView
from screens.dialogs import ConfirmDialog
from screens.history import HistoryScreen
from screens.history_columns import COLUMNS
from screens.history_order import HistoryOrder
from screens.home import HomeScreen
from screens.task import TaskScreen
from screens.widgets.task_list import HISTORY
from tests.tui.conftest import SIZES, Picture, opened, text_of, until
from tests.tui.fake_engine import NOW, FakeEngine, loss_at, running, some_tasks, task

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import LoraDeckApp

HOSTILE = "[bold]\x1b]0;x\x07 客服 " + "very-long-" * 12
STATES = ("completed", "failed", "cancelled")


def ended(number: int, name: str = "", status: str = "completed", **changes: object) -> TaskView:
    """Make an ended task; a higher number is an older one."""
    loss = {"final_loss": 0.3 + number / 100} if status == "completed" else {}
    values = loss | changes
    return TaskView(task=task(name or f"run-{number}", status, number, **values))


def three() -> list[TaskView]:
    """Make tasks that differ in every column."""
    return [
        ended(1, "beta", base_model="demo", dataset_file="/d/zoo.csv", final_loss=0.9,
              current_epoch=3.0, eval_loss=1.1, started_at=NOW - timedelta(hours=1),
              completed_at=NOW),
        ended(2, "Alpha", base_model="/models/qwen", dataset_file="/d/bees.csv", final_loss=0.2,
              current_epoch=1.0, eval_loss=1.7),
        ended(3, "gamma", "failed", base_model="abel/tiny", dataset_file="/d/ants.csv"),
    ]  # fmt: skip


async def to_history(app: LoraDeckApp, pilot: Pilot[None]) -> HistoryScreen:
    """Open the history."""
    await pilot.press("H")
    screen = app.screen
    assert isinstance(screen, HistoryScreen)
    return screen


def names(screen: HistoryScreen) -> list[str]:
    """Give the names that are shown, in their order."""
    return [view.task.task_name for view in screen.table.items.values()]


async def test_each_column_sorts_and_turns_round_with_what_is_unknown_last(tmp_path: Path) -> None:
    async with opened(FakeEngine(three()), tmp_path) as (app, pilot):
        screen = await to_history(app, pilot)
        sorted_by = {}
        for _ in COLUMNS:
            await pilot.press("s")
            forth = names(screen)
            await pilot.press("r")
            sorted_by[screen.order.sorted_by] = (forth, names(screen))
            assert COLUMNS[screen.order.sorted_by].heading in text_of(app)
        alphabet = ["Alpha", "beta", "gamma"]
        assert sorted_by == {
            "state": (["beta", "Alpha", "gamma"], ["gamma", "beta", "Alpha"]),
            "name": (alphabet, alphabet[::-1]),
            "model": (["gamma", "beta", "Alpha"], ["Alpha", "beta", "gamma"]),
            "dataset": (["gamma", "Alpha", "beta"], ["beta", "Alpha", "gamma"]),
            "epochs": (["beta", "Alpha", "gamma"], ["Alpha", "beta", "gamma"]),
            "loss": (["Alpha", "beta", "gamma"], ["beta", "Alpha", "gamma"]),
            "eval_loss": (["beta", "Alpha", "gamma"], ["Alpha", "beta", "gamma"]),
            "seconds": (["beta", "Alpha", "gamma"], ["Alpha", "gamma", "beta"]),
            "when": (["beta", "Alpha", "gamma"], ["gamma", "Alpha", "beta"]),
        }


async def test_state_and_words_filter_and_the_count_follows(tmp_path: Path) -> None:
    async with opened(FakeEngine([*three(), running(number=4)]), tmp_path) as (app, pilot):
        screen = await to_history(app, pilot)
        assert "4 tasks" in text_of(app)
        for _ in range(4):
            await pilot.press("f")
        assert names(screen) == ["beta", "Alpha"]
        assert "2 of 4 tasks" in text_of(app)
        assert "completed" in str(screen.box.border_title)
        await pilot.press("slash", *"CSV q", "enter")
        assert screen.table.has_focus
        assert names(screen) == ["Alpha"]
        await pilot.press("f")
        assert names(screen) == []
        assert "No task fits" in text_of(app)
        await pilot.press("f", "f")
        assert names(screen) == ["Alpha"]
        await pilot.press("slash", "escape")
        assert (app.screen, app.focused) == (screen, screen.table)
        await pilot.press("escape")
        assert isinstance(app.screen, HomeScreen)


async def test_changes_reach_a_filtered_and_sorted_list(tmp_path: Path) -> None:
    engine = FakeEngine([running(step=5), ended(2), ended(3, status="failed")])
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await to_history(app, pilot)
        screen._sort_by("loss")
        assert screen.table.cursor == "00000001"
        engine.change(running(step=9))
        await until(pilot, lambda: f"{loss_at(9):.3f}" in text_of(app))
        better = running(step=20)
        engine.change(better.model_copy(update={"loss": 0.1}))
        await until(pilot, lambda: names(screen)[0] == "alpaca_example-demo")
        assert screen.table.cursor == "00000001"
        await pilot.press("f", "f")
        assert names(screen) == ["alpaca_example-demo"]
        engine.change(ended(1, "alpaca_example-demo"))
        await until(pilot, lambda: names(screen) == [])
        engine.change(running("another", number=9))
        await until(pilot, lambda: names(screen) == ["another"])
        assert "1 of 4 tasks" in text_of(app)


async def test_marks_stay_with_their_tasks(tmp_path: Path) -> None:
    engine = FakeEngine([ended(number) for number in range(1, 5)])
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await to_history(app, pilot)
        await pilot.press("space", "space")
        assert list(screen.table.marks) == ["00000001", "00000002"]
        assert "4 tasks, 2 marked" in text_of(app)
        await pilot.press("k", "space", "c")
        await until(pilot, lambda: "Mark two to six tasks" in text_of(app))
        await pilot.press("space", "r")
        assert list(screen.table.marks) == ["00000001", "00000003"]
        engine.change(ended(1, status="cancelled"), removed=("00000003",))
        await until(pilot, lambda: str(screen.box.border_subtitle) == "3 tasks, 1 marked")
        assert [line[1] for line in text_of(app).splitlines() if "◆ ■" in line] == [" "]
        await pilot.press("u")
        assert not screen.table.marks


async def test_ended_tasks_are_deleted_after_one_question(tmp_path: Path) -> None:
    engine = FakeEngine(
        [running(), *(ended(number, HOSTILE + str(number)) for number in range(2, 8))]
    )
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await to_history(app, pilot)
        await pilot.press("d")
        await until(pilot, lambda: "Only tasks that have ended" in text_of(app))
        await pilot.press("j", "d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        assert "Delete the task?" in text_of(app)
        await pilot.press("y")
        await until(pilot, lambda: len(screen.table.items) == 6)
        await pilot.press("g", *["space"] * 6, "d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        assert "Delete 5 tasks?" in text_of(app)
        assert "\x1b" not in text_of(app)
        await pilot.press("n")
        assert len(engine.views) == 6
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: names(screen) == ["alpaca_example-demo"])
        assert list(engine.views) == ["00000001"]


async def test_enter_opens_a_task_and_the_way_back_keeps_the_place(tmp_path: Path) -> None:
    engine = FakeEngine([ended(number) for number in range(1, 5)])
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await to_history(app, pilot)
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen))
        assert app.screen.task_id == "00000002"
        engine.change(removed=("00000001",))
        await until(pilot, lambda: "00000001" not in app.session.tasks)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen and len(screen.table.items) == 3)
        assert screen.table.cursor == "00000002"


async def test_home_shows_the_newest_and_leads_to_the_rest(tmp_path: Path) -> None:
    engine = FakeEngine([running(), *(ended(number, f"run-{number}") for number in range(2, 205))])
    async with opened(engine, tmp_path) as (app, pilot):
        home = app.screen
        assert isinstance(home, HomeScreen)
        await pilot.press("t", "G")
        assert "3 more tasks in the history" in text_of(app)
        assert home.tasks.cursor == HISTORY
        await pilot.press("enter")
        assert isinstance(app.screen, HistoryScreen)
        assert len(app.screen.table.items) == 204
        await pilot.press("escape")
        engine.change(removed=("00000002", "00000003", "00000004"))
        await until(pilot, lambda: HISTORY not in home.tasks.items)
        assert len(home.tasks.items) == 201


@pytest.mark.parametrize("seed", range(3))
def test_taking_changes_orders_as_sorting_anew(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    order, tasks = HistoryOrder(), {}
    order.sorted_by, order.falls = chance.choice(list(COLUMNS)), chance.random() < 0.5
    order.search("run")
    order.state = chance.choice(("", "completed"))
    for _ in range(60):
        changed, removed = set(), set()
        for _ in range(chance.randrange(1, 5)):
            number = chance.randrange(1, 30)
            key = f"{number:08x}"
            if chance.random() < 0.3:
                tasks.pop(key, None)
                removed.add(key)
            else:
                loss = chance.choice([None, 0.5, chance.random(), float("nan")])
                tasks[key] = ended(number, chance.choice(["", "other"]), chance.choice(STATES),
                                   final_loss=loss)  # fmt: skip
                changed.add(key)
        before = order.in_order()
        moved = order.take(tasks, changed, removed)
        taken = order.in_order()
        assert moved == (taken != before) or moved
        order.fill(tasks)
        assert order.in_order() == taken


def some_more() -> list[TaskView]:
    """Make the usual tasks and some ended ones, with all figures."""
    chance = random.Random(1)  # noqa: S311 - repeatable on purpose
    made = [
        ended(
            number, f"support-{number}", STATES[number % 3],
            base_model=chance.choice(["demo", "Qwen/Qwen2.5-7B-Instruct", "/models/my-llama"]),
            dataset_file=chance.choice(["/d/support.jsonl", "/d/问答.csv", "org/no_robots"]),
            current_epoch=round(3 * chance.random(), 2), eval_loss=0.5 + chance.random(),
        )
        for number in range(20, 60)
    ]  # fmt: skip
    return [*some_tasks(), *made]


async def lead(pilot: Pilot[None]) -> None:
    """Mark two tasks."""
    await pilot.press("H", "j", "j", "space", "j", "space")


@SIZES
def test_looks(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(FakeEngine(some_more()), lead, size)
