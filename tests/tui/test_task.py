"""The task's screen: what it shows while a training runs, and what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import screens.widgets.loss_plot
from engine.errors import ConflictError, EngineUnavailableError
from engine.tasks.events import (
    AnswersCompared,
    SampleAnswered,
    StepLogged,
    StopTested,
    TaskFailed,
)
from engine.tasks.view import TaskView
from screens.dialogs import ConfirmDialog, ErrorDialog
from screens.home import HomeScreen
from screens.task import TaskScreen
from tests.tui.conftest import LARGE, opened, text_of, until
from tests.tui.fake_engine import FakeEngine, running, task, training_events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot

    from engine.tasks.events import Event
    from tui.app import LoraDeckApp

RUNNING = "00000001"
DONE = TaskView(
    task=task("done", "completed", 3, progress=100.0, final_loss=0.412), step=24, max_steps=24,
    device="CPU, 2 cores",
)  # fmt: skip


async def show(app: LoraDeckApp, pilot: Pilot[None], task_id: str) -> TaskScreen:
    """Open a task's screen from the list."""
    home = app.screen
    assert isinstance(home, HomeScreen)
    home.tasks.focus()
    home.tasks.cursor = task_id
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, TaskScreen) and app.screen._plot)
    assert isinstance(app.screen, TaskScreen)
    return app.screen


async def test_a_running_task_is_followed(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    engine.event_script[RUNNING] = training_events(11)
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        await until(pilot, lambda: "step 11/24  loss 0.987" in text_of(app))
        shown = text_of(app)
        for words in ("► running · training", "46 %", "step 11/24", "epoch 2.75", "rate 2.8e-4",
                      "tokens/s 412", "CPU, 2 cores", "13 min left (13–15)", "done about 15:43",
                      "memory 1.2 GB, predicted 1.2 GB", "smoothed", "held out",
                      "checkpoint saved at step 6", "16 rows; 420 of 960 tokens"):  # fmt: skip
            assert words in shown
        engine.change(running(step=12))
        await until(pilot, lambda: "step 12/24" in text_of(app))
        assert len(screen.curve.steps) == 11


async def test_an_adapter_that_does_not_end_its_answers_says_so(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    events = training_events(24, completed=True)
    engine.event_script[DONE.task.id] = [
        event.model_copy(update={"ended": 20}) if isinstance(event, StopTested) else event
        for event in events
    ]
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await show(app, pilot, DONE.task.id)
        words = "▲ warning: the adapter does not always end its answers: 20 of 24 ended"
        await until(pilot, lambda: words in text_of(app))


async def test_the_curve_reaches_from_the_first_to_the_last_step(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    engine.event_script[RUNNING] = training_events(11)
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        await until(pilot, lambda: screen._plot._datasets)
        raw, smooth, held_out = screen._plot._datasets
        assert (raw.x[0], raw.x[-1], smooth.x[-1]) == (1, 11, 11)
        assert list(held_out.x) == [6]


@pytest.mark.parametrize(
    "losses", [[1.995], [0.0], [3e-9], [7.1e8], [1.0, 1.0], [1.995, 1.995 + 1e-12], [2.0, 1e12]]
)
async def test_any_losses_can_be_drawn(tmp_path: Path, losses: list[float]) -> None:
    engine = FakeEngine([running()])
    engine.event_script[RUNNING] = [
        StepLogged(seq=n, step=n, max_steps=9, epoch=0.1, loss=loss, learning_rate=1e-4,
                   grad_norm=1.0, tokens=1, seconds=0.1)
        for n, loss in enumerate(losses, 1)
    ]  # fmt: skip
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await show(app, pilot, RUNNING)
        await until(pilot, lambda: "smoothed" in text_of(app))


async def test_the_answers_are_shown_when_they_come(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    engine.event_script[DONE.task.id] = training_events(24, completed=True)
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, DONE.task.id)
        await until(pilot, lambda: "What the training changed" in text_of(app))
        shown = text_of(app)
        assert "I am not aware of a specific" in shown
        assert "Ada Morrow keeps the lighthouse at" in shown
        assert "peak memory 1.3 GB" in shown
        assert "/home/u/loradeck/models/lora/done" in shown


async def test_the_newest_sample_is_shown_until_the_answers_come(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    samples = [
        SampleAnswered(seq=step, step=step, epoch=0.5, question="Who?", answer=f"[b]{step}[/b]")
        for step in (4, 8)
    ]
    compared = AnswersCompared(seq=9, question="Who?", reference="", base_answer="Nobody.",
                               adapter_answer="Ada.")  # fmt: skip
    engine.event_script[RUNNING] = [*samples]
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        await until(pilot, lambda: "What it answers at step 8" in text_of(app))
        assert "[b]8[/b]" in text_of(app)
        screen._take([compared])
        await until(pilot, lambda: "What the training changed" in text_of(app))
        assert "[b]8[/b]" not in text_of(app)


async def test_a_failed_task_says_why(tmp_path: Path) -> None:
    failed = TaskView(task=task("x", "failed", 4, message="Out of memory. [b]Really[/b]."))
    engine = FakeEngine([failed])
    engine.event_script[failed.task.id] = [
        TaskFailed(seq=1, title="Out of memory", message="a\x1b[2Jb", hint="Less."),
    ]
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, failed.task.id)
        await until(pilot, lambda: "failed: Out of memory" in text_of(app))
        assert "✗ failed" in text_of(app)
        assert "Out of memory. [b]Really[/b]." in text_of(app)
        assert "a␛[2Jb" in text_of(app)


async def test_delete_asks_first_and_leads_home(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, DONE.task.id)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen))
        assert not engine.calls["delete"]
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert engine.calls["delete"] == [DONE.task.id]
        await until(pilot, lambda: "No task yet." in text_of(app))


async def test_a_refused_action_becomes_a_dialog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine([DONE])

    async def refuse(task_id: str) -> None:
        raise ConflictError("Not possible now", "It [b]runs[/b].", "Wait.")

    monkeypatch.setattr(engine, "delete", refuse)
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, DONE.task.id)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
        assert "It [b]runs[/b]." in text_of(app)
        await pilot.press("escape")
        assert isinstance(app.screen, TaskScreen)


async def test_the_adapters_path_is_copied(tmp_path: Path) -> None:
    engine = FakeEngine([DONE])
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, DONE.task.id)
        await pilot.press("y")
        assert app.clipboard == "/home/u/loradeck/models/lora/done"


async def test_the_workers_log_takes_the_events_place(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    engine.event_script[RUNNING] = training_events(3)
    engine.worker_log = "warning: [b]odd[/b]\x1b]0;title\x07\n"
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, RUNNING)
        await until(pilot, lambda: "step  3/24" in text_of(app))
        await pilot.press("w")
        await until(pilot, lambda: "warning: [b]odd[/b]␛]0;title␇" in text_of(app))
        await pilot.press("w")
        await until(pilot, lambda: "step  3/24" in text_of(app))


async def test_a_lost_engine_is_followed_on_from_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine([running()])
    script = training_events(6)
    asked: list[int] = []

    async def events(task_id: str, after: int = 0, *, follow: bool = True) -> AsyncIterator[Event]:
        asked.append(after)
        for event in script[after : after + 4]:
            yield event
        if len(asked) == 1:
            raise EngineUnavailableError("Engine not reachable", "Gone.")

    monkeypatch.setattr(engine, "events", events)
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        await until(pilot, lambda: screen._last_seq == 4)
        engine.break_streams()
        await until(pilot, lambda: screen._last_seq == 8)
        assert asked == [0, 4]
        assert isinstance(app.screen, TaskScreen)


async def test_a_long_journal_costs_few_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine([running()])
    engine.event_script[RUNNING] = [
        StepLogged.model_construct(
            type="step_logged", seq=n, time=0.0, step=n, max_steps=30_000, epoch=0.0, loss=1.0,
            learning_rate=1e-4, grad_norm=1.0, tokens=1, seconds=0.1,
        )
        for n in range(1, 30_001)
    ]  # fmt: skip
    draws = 0
    plot = screens.widgets.loss_plot.LossPlot
    draw = plot.draw

    def counted(self: object, curve: object) -> None:
        nonlocal draws
        draws += 1
        draw(self, curve)

    monkeypatch.setattr(plot, "draw", counted)
    monkeypatch.setattr(screens.task, "DRAW_SECONDS", 30)
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        await until(pilot, lambda: screen._last_seq == 30_000)
        await until(pilot, lambda: "step 30000/30000" in text_of(app))
        assert draws <= 3
        assert len(screen.log_panel.lines) <= 1001
