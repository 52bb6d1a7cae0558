"""What can be done with a task, by keys, on its screen and in Home's list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.command import CommandPalette

from engine.errors import ConflictError
from engine.tasks.view import TaskView
from screens.dialogs import CancelDialog, ConfirmDialog, ErrorDialog
from screens.format import sign_of
from screens.home import HomeScreen
from screens.plan import PlanScreen
from screens.task import TaskScreen
from screens.task_rules import allowed
from tests.tui.conftest import opened, text_of, until
from tests.tui.fake_engine import FakeEngine, running, task
from tests.tui.test_home import choose_both, home_of
from tests.tui.test_task import RUNNING, show

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import LoraDeckApp

NO_ROOM = ConflictError(
    "No room to start it now", "'b': 2.1 GB are not free.",
    "It starts by itself when they are. Or: loradeck tasks start 3 --anyway",
)  # fmt: skip


def queued(name: str, number: int, **changes: object) -> TaskView:
    """Make a queued task; a higher number is an older one."""
    return TaskView(task=task(name, "pending", number, **changes))


def paused(number: int = 2, **changes: object) -> TaskView:
    """Make a task that was paused in mid-training."""
    values = {"message": "Paused at step 8.", "progress": 33.3, "resume_step": 8}
    record = task("half-done", "paused", number, **values | changes)
    return TaskView(task=record, step=8, max_steps=24, loss=1.2)


def three() -> FakeEngine:
    """Make an engine with three queued tasks, to start as c, b, a."""
    return FakeEngine([running(), queued("a", 2), queued("b", 3), queued("c", 4)])


def order(app: LoraDeckApp) -> str:
    """Give the names of the queued tasks as Home lists them."""
    views = home_of(app).tasks.items.values()
    return "".join(view.task.task_name for view in views if view.task.status == "pending")


async def at(app: LoraDeckApp, pilot: Pilot[None], task_id: str) -> HomeScreen:
    """Put the list's cursor on a task."""
    home = home_of(app)
    home.tasks.focus()
    home.tasks.cursor = task_id
    await pilot.pause()
    return home


@pytest.mark.parametrize(
    ("view", "actions"),
    [
        (running(), "cancel finish pause"),
        (running(step=1).model_copy(update={"step": 0}), "cancel pause"),
        (queued("q", 1), "cancel hold prioritize reorder start_now"),
        (queued("q", 1, resume_step=4), "cancel finish hold prioritize reorder start_now"),
        (paused(), "cancel finish prioritize resume start_now"),
        (
            TaskView(task=task("x", "completed")),
            "chat copy_path delete_completed deploy export further report worker_log_of_completed",
        ),
        (TaskView(task=task("x", "failed", resume_step=4)), "delete resume"),
        (TaskView(task=task("x", "cancelled")), "delete resume"),
        (TaskView(task=task("x", "running", requested="pause"), step=2), "cancel resume"),
        (TaskView(task=task("x", "running", requested="finish"), step=2), "cancel"),
        (TaskView(task=task("x", "running", requested="discard"), step=2), ""),
    ],
)
def test_the_state_says_what_can_be_done(view: TaskView, actions: str) -> None:
    assert " ".join(sorted(allowed(view))) == actions


def test_a_held_task_that_was_to_finish_is_paused() -> None:
    assert sign_of(paused(requested="finish")).word == "paused"
    assert sign_of(queued("x", 1, requested="finish")).word == "finishing"


async def test_pause_and_resume_on_the_tasks_screen(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, RUNNING)
        await until(pilot, lambda: "p Pause" in text_of(app))
        await pilot.press("p")
        await until(pilot, lambda: "■ pausing" in text_of(app) and "p Resume" in text_of(app))
        assert "46 %" in text_of(app)
        engine.change(paused(1))
        await until(pilot, lambda: "‖ paused" in text_of(app))
        assert "Paused at step 8." in text_of(app)
        await pilot.press("p")
        await until(pilot, lambda: "○ queued" in text_of(app) and "p Hold back" in text_of(app))
        assert (engine.calls["pause"], engine.calls["resume"]) == ([RUNNING], [RUNNING])
        assert "place 1 of 1" in text_of(app)
        await pilot.press("p", "s")
        await until(pilot, lambda: engine.calls["start"] == [(RUNNING, False)])
        await until(pilot, lambda: "► running · starting" in text_of(app))


@pytest.mark.parametrize(
    ("keys", "kept"),
    [(["enter"], None), (["right", "enter"], True), (["h", "enter"], False), (["k"], True),
     (["d"], False), (["escape"], None)],
)  # fmt: skip
async def test_cancel_asks_what_becomes_of_the_checkpoints(
    tmp_path: Path, keys: list[str], kept: bool | None
) -> None:
    engine = FakeEngine([running()])
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        await pilot.press("d", "y")
        assert app.screen is screen
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, CancelDialog))
        await pilot.press(*keys)
        await until(pilot, lambda: app.screen is screen)
        if kept is None:
            assert not engine.calls["cancel"]
        else:
            await until(pilot, lambda: "■ cancelling" in text_of(app))
            assert engine.calls["cancel"] == [(RUNNING, kept)]
            await pilot.press("c")
            assert app.screen is screen


async def test_a_task_that_has_learnt_nothing_is_cancelled_by_a_yes(tmp_path: Path) -> None:
    engine = FakeEngine([queued("a", 2)])
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, "00000002")
        await pilot.press("f", "c")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: "■ cancelled" in text_of(app))
        assert "p Resume" in text_of(app)
        assert not engine.calls["finish"]


async def test_finish_says_what_it_means(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, RUNNING)
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        assert "becomes the adapter" in text_of(app)
        await pilot.press("y")
        await until(pilot, lambda: "■ finishing" in text_of(app))
        assert engine.calls["finish"] == [RUNNING]


async def test_a_task_without_room_starts_if_it_must(tmp_path: Path) -> None:
    engine = three()
    engine.refused_start = NO_ROOM
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await show(app, pilot, "00000003")
        for answer in ("n", "y"):
            await pilot.press("s")
            await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
            assert "'b': 2.1 GB are not free." in text_of(app)
            await pilot.press(answer)
            await until(pilot, lambda: app.screen is screen)
        await until(pilot, lambda: "► running" in text_of(app))
        assert engine.calls["start"] == [("00000003", anyway) for anyway in (False, False, True)]


async def test_a_task_that_runs_by_now_is_not_started_anyway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = three()

    async def refuse(task_id: str, *, anyway: bool = False) -> None:
        engine.views[task_id] = running("b", number=3)
        raise ConflictError("Not possible now", "'b' is running already.")

    monkeypatch.setattr(engine, "start", refuse)
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, "00000003")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        assert "'b' is running already." in text_of(app)


async def test_the_queue_is_listed_and_moved_in_its_order(tmp_path: Path) -> None:
    engine = three()
    async with opened(engine, tmp_path) as (app, pilot):
        home = await at(app, pilot, "00000002")
        assert order(app) == "cba"
        assert "○ queued 3   a" in text_of(app)
        for key, now in (("K", "cab"), ("less_than_sign", "acb"), ("J", "cab"),
                         ("greater_than_sign", "cba")):  # fmt: skip
            await pilot.press(key)
            await until(pilot, lambda wanted=now: order(app) == wanted)
        await pilot.press("plus", "plus")
        await until(pilot, lambda: order(app) == "acb" and "priority +2" in text_of(app))
        assert "○ queued 1   a" in text_of(app)
        await pilot.press("minus", "minus", "minus")
        await until(pilot, lambda: order(app) == "cba" and "priority −1" in text_of(app))
        assert home.tasks.cursor == "00000002"


async def test_a_priority_has_its_bounds(tmp_path: Path) -> None:
    engine = FakeEngine([queued("a", 2, priority=100)])
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, "00000002")
        await pilot.press("plus")
        await until(pilot, lambda: engine.calls["prioritize"] == [("00000002", 100)])
        assert "priority +100" in text_of(app)


async def test_p_is_the_tasks_in_the_list_and_the_plan_elsewhere(tmp_path: Path) -> None:
    engine = FakeEngine([running(), paused(), TaskView(task=task("done", "completed", 3))])
    async with opened(engine, tmp_path) as (app, pilot):
        home = await choose_both(app, pilot)
        await at(app, pilot, RUNNING)
        await until(pilot, lambda: "p Pause" in text_of(app))
        await pilot.press("p")
        await until(pilot, lambda: "■ pausing" in text_of(app) and "p Resume" in text_of(app))
        home.tasks.cursor = "00000002"
        assert "Paused at step 8." in text_of(app)
        await pilot.press("p")
        await until(pilot, lambda: "○ queued 1" in text_of(app) and "p Hold back" in text_of(app))
        assert (engine.calls["pause"], engine.calls["resume"]) == ([RUNNING], ["00000002"])
        home.tasks.cursor = "00000003"
        await until(pilot, lambda: "p Plan" in text_of(app))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))


async def test_an_interrupted_task_that_runs_again_says_why(tmp_path: Path) -> None:
    words = "Interrupted (killed by the kernel: out of memory); goes on from step 6."
    view = running()
    view = view.model_copy(update={"task": view.task.model_copy(update={"message": words})})
    async with opened(FakeEngine([view, queued("a", 2)]), tmp_path) as (app, pilot):
        assert words in text_of(app)
        await show(app, pilot, RUNNING)
        assert words in text_of(app)


async def test_a_refusal_from_the_list_becomes_a_dialog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine([running()])

    async def refuse(task_id: str) -> None:
        raise ConflictError("Not possible now", "It [b]ended[/b].")

    monkeypatch.setattr(engine, "pause", refuse)
    async with opened(engine, tmp_path) as (app, pilot):
        await at(app, pilot, RUNNING)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        assert "It [b]ended[/b]." in text_of(app)


@pytest.mark.parametrize("screen", [HomeScreen, TaskScreen])
async def test_the_palette_has_them_too(tmp_path: Path, screen: type) -> None:
    engine = three()
    async with opened(engine, tmp_path) as (app, pilot):
        if screen is TaskScreen:
            await show(app, pilot, "00000003")
            typed, found = "up", "Move the queued task up"
        else:
            home_of(app).tasks.cursor = "00000003"
            typed, found = "move up", "Move up b"
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*typed)
        await until(pilot, lambda: found in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: engine.calls["move"] == [("00000003", "up")])


async def test_a_finished_adapter_is_trained_further_from_home(tmp_path: Path) -> None:
    name = "[b]done[b]"  # not a style
    done = task(name, "completed", 5)
    engine = FakeEngine([TaskView(task=done)])
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, done.id)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await until(pilot, lambda: bool(engine.calls["plan"]))
        wanted = engine.calls["plan"][-1]
        assert (wanted.adapter, wanted.base_model) == (name, done.base_model)
        assert wanted.dataset_file == done.dataset_file
        training = home_of(app).training
        await until(pilot, lambda: training.plan_panel.ready)
        assert f"trains {name} further" in text_of(app)
        await pilot.press("p")
        assert f"trains {name} further" in text_of(app)
        await pilot.press("escape")
        await pilot.press("s")
        await until(pilot, lambda: bool(engine.calls["train"]))
        assert engine.calls["train"][-1].adapter == name
        await until(pilot, lambda: not engine.calls["plan"][-1].adapter)
