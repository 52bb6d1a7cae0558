"""The task's screen: what it shows while a training runs, and what can be done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import screens.task
import screens.widgets.charts
import screens.widgets.curve_plot
from engine.card_load import CardLoad
from engine.errors import ConflictError, EngineUnavailableError
from engine.machine_load import WorkerLoad
from engine.tasks.events import (
    AnswersCompared,
    SampleAnswered,
    StepLogged,
    StopTested,
    TaskFailed,
)
from engine.tasks.view import TaskView
from screens import open_folder
from screens.dialogs import ConfirmDialog, ErrorDialog
from screens.home import HomeScreen
from screens.task import TaskScreen
from tests.tui.conftest import LARGE, drawn, opened, text_of, until
from tests.tui.fake_engine import FakeEngine, running, task, training_events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot

    from engine.tasks.events import Event
    from tui.app import LoraDeckApp

RUNNING = "00000001"
DONE = TaskView(task=task("done", "completed", 3, progress=100.0, final_loss=0.412))


async def show(app: LoraDeckApp, pilot: Pilot[None], task_id: str) -> TaskScreen:
    """Open a task's screen from the list."""
    home = app.screen
    assert isinstance(home, HomeScreen)
    home.tasks.focus()
    home.tasks.cursor = task_id
    await pilot.press("enter")
    await until(pilot, lambda: drawn(app))
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
                      "memory 1.2 GB probed, 1.2 GB predicted", "smoothed", "held out",
                      "checkpoint saved at step 6", "16 rows; 420 of 960 tokens"):  # fmt: skip
            assert words in shown
        engine.change(running(step=12, tokens_per_second=None))  # no step is measured yet
        await until(pilot, lambda: "step 12/24" in text_of(app))
        assert "tokens/s" not in str(screen.summary.render())
        assert screen.charts.curves.steps == list(range(1, 12))


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
        raw, smooth, held_out = screen.charts._plots[0]._datasets
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
        assert "step 24/24" in shown
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


def _sample(step: int, answer: str) -> SampleAnswered:
    """Make a sample."""
    return SampleAnswered(seq=step, step=step, epoch=0.5, question="Who?", answer=answer,
                          reference="Ada Morrow.")  # fmt: skip


async def test_samples_are_paged_beside_the_datasets_answer(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    engine.event_script[RUNNING] = [_sample(4, "Nobody."), _sample(8, "Ada?"), _sample(12, "Ada.")]
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        await until(pilot, lambda: "What it answers at step 12" in text_of(app))
        assert "in the dataset: Ada Morrow." in text_of(app)
        for key, words in (("[", "step 8"), ("[", "step 4"), ("[", "step 4"), ("]", "step 8")):
            await pilot.press(key)
            assert f"What it answers at {words}" in text_of(app)
        assert "2 of 3" in text_of(app)
        screen._take([_sample(13, "Ada!")])
        await pilot.pause()
        assert "What it answers at step 8" in text_of(app)
        compared = AnswersCompared(seq=14, question="Who?", reference="", base_answer="Nobody.",
                                   adapter_answer="Ada.")  # fmt: skip
        screen._take([compared])
        await pilot.press(*"]]]]")
        assert "What the training changed" in text_of(app)
        await pilot.press("[")
        assert "What it answers at step 13" in text_of(app)


async def test_the_log_is_searched(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    engine.event_script[RUNNING] = training_events(24)
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        log = screen.log_lines
        await until(pilot, lambda: "step 24/24" in text_of(app))
        await pilot.press("slash", *"CHECKPOINT")
        await until(pilot, lambda: "match 4 of 4" in text_of(app))
        await pilot.press("enter")
        assert app.focused is log
        assert not screen.log_panel.field.display
        for key, place in (("N", 3), ("N", 2), ("n", 3), ("n", 4), ("n", 1)):
            await pilot.press(key)
            await until(pilot, lambda place=place: f"match {place} of 4" in text_of(app))
        assert "checkpoint saved at step 6" in text_of(app)
        marked = {str(part.style) for part in log.render_line(log._current - round(log.scroll_y))
                  if part.text == "checkpoint"}  # fmt: skip
        assert any("reverse" in style for style in marked)
        await pilot.press("escape")
        await until(pilot, lambda: "step 24/24" in text_of(app))
        assert app.screen is screen
        assert not log.searching
        log.scroll_to(y=0, animate=False, immediate=True)
        await until(pilot, lambda: "stopped, G follows" in text_of(app))
        await pilot.press("G")
        await until(pilot, lambda: "step 24/24" in text_of(app))


async def test_what_a_key_changes_comes_into_sight(tmp_path: Path) -> None:
    engine = FakeEngine([running(step=24)])
    engine.event_script[RUNNING] = training_events(24)
    async with opened(engine, tmp_path, (80, 14)) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        await pilot.press("slash", *"checkp")
        await until(pilot, lambda: "\ncheckp " in text_of(app))
        await pilot.press("enter")
        for key in ("2", "z"):
            screen.query_one("#body").scroll_home(animate=False, immediate=True)
            await until(pilot, lambda: screen.charts.region.bottom >= app.size.height)
            await pilot.press(key)
            await until(pilot, lambda: screen.charts.region.bottom < app.size.height)


async def test_a_match_stays_the_one_shown_when_lines_come_and_go(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    engine.event_script[RUNNING] = training_events(24)
    async with opened(engine, tmp_path) as (app, pilot):
        log = (await show(app, pilot, RUNNING)).log_lines
        await until(pilot, lambda: "step 24/24" in text_of(app))
        log.search("step 10/")
        before = log._current
        log.write_lines(["new"] * (1000 - len(log.lines) + 5))
        assert log._current == before - 5
        assert "step 10/" in log.lines[log._current]
        log.write_lines(["new"] * 900)
        assert log._current is None
        log.next_match(1)
        assert log._current is None


async def test_steps_are_left_out_of_the_log(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    engine.event_script[RUNNING] = training_events(12)
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        await until(pilot, lambda: "step 12/24" in text_of(app))
        await pilot.press("e")
        assert "Events without steps" in text_of(app)
        screen._take([training_events(13)[-1].model_copy(update={"seq": 99})])
        assert not [line for line in screen.log_lines.lines if "13/24" in line]
        await pilot.press("w", "e")
        assert any("13/24" in line for line in screen.log_lines.lines)


async def test_the_charts_are_chosen_and_zoomed(tmp_path: Path) -> None:
    engine = FakeEngine([running(step=24)])
    engine.event_script[RUNNING] = training_events(24)
    async with opened(engine, tmp_path) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        shown = [plot.kind for plot in screen.charts._plots if plot.display]
        assert shown == ["loss"]
        await pilot.press("2")
        assert [plot.kind for plot in screen.charts._plots if plot.display] == ["rate"]
        ends = lambda: (screen.charts.curves.steps[0], screen.charts.curves.steps[-1])  # noqa: E731
        for key, window in (
            ("z", (13, 24)), ("h", (10, 21)), ("l", (13, 24)), ("plus", (17, 24)),
            ("left", (15, 22)), ("minus", (9, 24)), ("0", (1, 24)),
        ):  # fmt: skip
            await pilot.press(key)
            await until(pilot, lambda window=window: ends() == window)
        assert "steps 1" not in text_of(app)


async def test_wide_screens_show_all_charts(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    engine.event_script[RUNNING] = training_events(11)
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        assert all(plot.display for plot in screen.charts._plots)
        await pilot.press("3")
        assert [plot.kind for plot in screen.charts._plots if plot.display] == ["norm"]
        titles = "1 Loss  2 Learning rate  3 Gradient norm  4 Tokens/s"
        await until(pilot, lambda: titles in text_of(app))
        await pilot.press("5")
        assert all(plot.display for plot in screen.charts._plots)


async def test_charts_without_room_say_what_room_they_want(tmp_path: Path) -> None:
    engine = FakeEngine([running()])
    async with opened(engine, tmp_path) as (app, pilot):
        await show(app, pilot, RUNNING)
        await pilot.press("5")
        await until(pilot, lambda: "All charts want 76 × 18 cells here." in text_of(app))


async def test_the_machine_is_looked_at_while_the_task_runs_and_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens.task, "LOAD_SECONDS", 0.01)
    view = running()
    view = view.model_copy(update={"task": view.task.model_copy(update={"device_uuid": "GPU-a"})})
    card = CardLoad(index=0, uuid="GPU-a", name="RTX", busy=96, temperature=64, power=411.6,
                    power_limit=450.0, memory_used=9 * 10**9, memory_total=24 * 10**9)  # fmt: skip
    engine = FakeEngine([view])
    engine.event_script[RUNNING] = training_events(3)
    worker = WorkerLoad(memory=2_000_000_000, cards=None)
    engine.load = engine.load.model_copy(update={"cards": (card,), "workers": {RUNNING: worker}})
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        await show(app, pilot, RUNNING)
        words = "GPU 96 % · 64 °C · 412/450 W · 9.0 GB of 24.0 GB"
        await until(pilot, lambda: words in text_of(app))
        assert "memory 9.0 GB now, 1.2 GB probed, 1.2 GB predicted" in text_of(app)
        engine.load = engine.load.model_copy(update={"cards": (), "cpu": 87.4})
        await until(pilot, lambda: "CPU 87 %" in text_of(app))
        assert "RAM 3.1 GB of 8.0 GB" in text_of(app)
        assert "memory 2.0 GB now" in text_of(app)
        app.push_screen(HomeScreen(app.session))
        await pilot.pause()
        asked = len(engine.calls["machine_load"])
        await asyncio.sleep(0.05)
        assert len(engine.calls["machine_load"]) <= asked + 1
        app.pop_screen()
        engine.change(DONE.model_copy(update={"task": task("done", "completed", 1)}))
        await until(pilot, lambda: "RAM" not in text_of(app))


async def test_the_folder_is_opened_or_its_path_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_folder.sys, "platform", "linux")
    monkeypatch.setattr(open_folder.shutil, "which", lambda name: f"/usr/bin/{name}")
    started: list[list[str]] = []
    monkeypatch.setattr(
        open_folder.subprocess, "Popen", lambda command, **_: started.append(command)
    )
    for name in ("SSH_CONNECTION", "SSH_TTY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    engine = FakeEngine([running(), DONE])
    async with opened(engine, tmp_path) as (app, pilot):
        monkeypatch.setenv("DISPLAY", ":0")
        await show(app, pilot, DONE.task.id)
        await pilot.press("O")
        await until(pilot, lambda: started)
        assert started == [["/usr/bin/xdg-open", "/home/u/loradeck/models/lora/done"]]
        monkeypatch.setenv("SSH_CONNECTION", "1.2.3.4 5 6.7.8.9 22")
        await pilot.press("escape")
        await show(app, pilot, RUNNING)
        await pilot.press("O")
        await until(pilot, lambda: app.clipboard == str(app.session.home.task(RUNNING)))
        assert len(started) == 1


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

    async def events(
        task_id: str, after: int = 0, *, follow: bool = True, tail: int = 0
    ) -> AsyncIterator[Event]:
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


async def test_of_a_long_journal_the_end_is_read_and_drawn_once_in_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine([running()])
    probed = training_events(0)[3].model_copy(update={"seq": 1})
    engine.event_script[RUNNING] = [probed] + [
        StepLogged.model_construct(
            type="step_logged", seq=n + 1, time=0.0, step=n, max_steps=30_000, epoch=0.0, loss=1.0,
            learning_rate=1e-4, grad_norm=1.0, tokens=1, seconds=0.1,
        )
        for n in range(1, 30_001)
    ]  # fmt: skip
    draws = 0
    plot = screens.widgets.curve_plot.CurvePlot
    draw = plot.draw

    def counted(self: object, curves: object) -> None:
        nonlocal draws
        draws += 1
        draw(self, curves)

    async with opened(engine, tmp_path) as (app, pilot):
        screen = await show(app, pilot, RUNNING)
        await until(pilot, lambda: "step 30000/30000" in text_of(app))
        assert screen.log_lines.lines[0] == "… 29002 earlier events"
        assert len(screen.log_lines.lines) == 1000
        assert "1.2 GB predicted" in text_of(app)
        assert (screen.charts.curves.steps[0], screen.charts.curves.steps[-1]) == (1, 30_000)
        monkeypatch.setattr(plot, "draw", counted)
        monkeypatch.setattr(screens.widgets.charts, "DRAW_SECONDS", 30)
        for _ in range(100):
            screen.charts.news()
        await until(pilot, lambda: draws)
        assert draws == 1
