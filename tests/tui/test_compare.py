"""Comparing tasks: each key, what is missing, what changes meanwhile, and the command line."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from typer.testing import CliRunner

import screens.compare
import tui.cli.task_compare
from engine.errors import EngineUnavailableError, LoraDeckError
from engine.tasks.events import StepLogged
from engine.tasks.view import TaskView
from screens.compare import CompareScreen
from screens.home import HomeScreen
from tests.tui.conftest import LARGE, SIZES, SMALL, Picture, opened, text_of, until
from tests.tui.fake_engine import PLANNED, FakeEngine, running, task, training_events
from tests.tui.fake_results import report
from tui.cli.commands import app as command_line

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from textual.pilot import Pilot

    from tui.app import LoraDeckApp

NAMES = ("客服机器人-中文", "[red]x[/]\x1b]0;x\x07 " + "very-long-" * 8, "ferry", "d", "e", "f")
CHANGES: tuple[dict[str, object], ...] = (
    {}, {"learning_rate": 2e-4, "lora_rank": 32}, {"num_epochs": 3}, {"use_4bit": True},
    {"seed": 1}, {"lora_dropout": 0.05},
)  # fmt: skip


def scripted(count: int) -> FakeEngine:
    """Make an engine with tasks that differ in parameters, results and curves; the third failed."""
    engine = FakeEngine()
    for place, (name, changes) in enumerate(zip(NAMES[:count], CHANGES, strict=False)):
        made = task(
            name, "failed" if place == 2 else "completed", place + 1,
            training_params=PLANNED.model_dump() | changes, current_epoch=6.0 - place,
            final_loss=None if place == 2 else 0.4 + place / 10,
        )  # fmt: skip
        engine.views[made.id] = TaskView(task=made)
        engine.event_script[made.id] = [
            event.model_copy(update={"loss": event.loss * (1 + place / 8)})
            if isinstance(event, StepLogged)
            else event
            for event in training_events(24 - 2 * place, completed=place != 2)
        ]
        if place != 2:
            engine.reports[made.id] = report(
                made.id, name, adapter_chrf=86.0 - place, peak_memory=(13 + place) * 10**8
            )
    return engine


async def to_compare(app: LoraDeckApp, pilot: Pilot[None], count: int) -> CompareScreen:
    """Mark the first tasks of the history, and compare them."""
    await pilot.press("H", *["space"] * count, "c")
    screen = app.screen
    assert isinstance(screen, CompareScreen)
    await until(pilot, lambda: screen._plot is not None and len(screen.curves) == count)
    return screen


def drawn(screen: CompareScreen) -> list[int]:
    """Give how many points each drawn line has."""
    assert screen._plot is not None
    return [len(line.xs) for line in screen._plot._lines]


async def test_the_table_and_the_curves_by_keys(tmp_path: Path) -> None:
    async with opened(scripted(3), tmp_path) as (app, pilot):
        screen = await to_compare(app, pilot, 3)
        await until(pilot, lambda: "★ 86.0" in text_of(app))
        shown = text_of(app)
        assert "A 客服机器人-中文" in shown
        assert "lora_rank" in shown
        assert "seed" not in shown
        assert "\x1b" not in shown
        assert "C ferry" not in shown  # a third one does not fit
        assert "→" in shown.splitlines()[2]
        await pilot.press("right")
        assert "←" in text_of(app).splitlines()[2]
        assert "C ferry" in text_of(app)
        assert "✗ failed" in text_of(app)
        await pilot.press("h", "a", "G")
        assert "All parameters" in text_of(app)
        assert "parameters.seed" in screen.table.items
        await pilot.press("v")
        assert "Training loss by step" in text_of(app)
        assert drawn(screen) == [24, 22, 20]
        await pilot.press("x")
        assert "Training loss by epoch" in text_of(app)
        assert max(screen._plot._lines[0].xs) == 6.0
        await pilot.press("e")
        assert "Evaluation loss by epoch" in text_of(app)
        assert drawn(screen) == [4, 3, 3]
        assert screen._plot._lines[0].xs[0] == 1.5
        await pilot.press("v")
        assert screen.table.region.height
        await pilot.press("escape", "escape")
        assert isinstance(app.screen, HomeScreen)


async def test_without_reports_and_curves_it_says_what_it_knows(tmp_path: Path) -> None:
    engine = scripted(2)
    engine.reports.clear()
    engine.event_script.clear()
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        screen = await to_compare(app, pilot, 2)
        await until(pilot, lambda: "has made a step" in text_of(app))
        assert "★ 0.400" in text_of(app)
        assert "chrF" not in text_of(app)
        await pilot.press("e")
        assert "evaluated on held-out rows" in text_of(app)
        assert not drawn(screen)


async def test_an_engine_that_is_away_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = scripted(2)
    async with opened(engine, tmp_path, LARGE) as (app, pilot):

        async def away(task_id: str, *_: object) -> object:
            raise EngineUnavailableError("Engine not reachable", "It is away.")

        with monkeypatch.context() as patched:
            patched.setattr(engine, "report", away)
            patched.setattr(engine, "curves", away)
            await pilot.press("H", "space", "space", "c")
            await until(pilot, lambda: "★ 0.400" in text_of(app))
            await pilot.pause()
            assert "chrF" not in text_of(app)
        engine.break_streams()
        await until(pilot, lambda: "★ 86.0" in text_of(app) and drawn(app.screen))


async def test_it_follows_a_running_task_and_lets_a_deleted_one_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens.compare, "DRAW_SECONDS", 0.01)
    engine = scripted(2)
    engine.change(running(step=5, number=3))
    engine.event_script["00000003"] = training_events(5)
    async with opened(engine, tmp_path, LARGE) as (app, pilot):
        screen = await to_compare(app, pilot, 3)
        await until(pilot, lambda: drawn(screen)[-1] == 5)
        engine.event_script["00000003"] = training_events(9)
        engine.change(running(step=9, number=3))
        await until(pilot, lambda: drawn(screen)[-1] == 9)
        await until(pilot, lambda: screen.table.items["results.epochs"].row.words[-1] == "2.25")
        engine.change(removed=("00000001",))
        await until(pilot, lambda: len(drawn(screen)) == 2)
        assert "客服" not in text_of(app)
        engine.change(removed=("00000002",))
        await until(pilot, lambda: app.screen is not screen)


def test_the_command_line_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = scripted(3)
    monkeypatch.setattr(tui.cli.task_compare, "with_engine", lambda talk: asyncio.run(talk(engine)))
    run = CliRunner().invoke
    ids = list(engine.views)
    told = run(command_line, ["tasks", "compare", *ids])
    assert told.exit_code == 0, told.output
    lines = {line[2:28].strip(): line for line in told.output.splitlines()}
    assert lines["lora_rank"].split()[1:] == ["16", "32", "16"]
    assert "0.4000 *" in lines["training loss"]
    assert "seed" not in lines
    assert "\x1b" not in told.output
    found = json.loads(run(command_line, ["tasks", "compare", *ids[:2], "--json", "--all"]).output)
    assert [one["task_name"] for one in found["tasks"]] == list(NAMES[:2])
    rows = {row["key"]: row for row in found["rows"]}
    assert rows["seed"]["values"] == [42, 42]
    assert rows["adapter_chrf"] == {
        "group": "results", "key": "adapter_chrf", "values": [86.0, 85.0], "best": [0],
    }  # fmt: skip
    alone = run(command_line, ["tasks", "compare", ids[0], ids[0]])
    assert isinstance(alone.exception, LoraDeckError)


async def lead(pilot: Pilot[None], count: int) -> None:
    """Compare, and wait until all is there."""
    app = pilot.app
    screen = await to_compare(app, pilot, count)  # type: ignore[arg-type]
    await until(pilot, lambda: any(one.report for one in screen.tasks.values()))
    await until(pilot, lambda: len(drawn(screen)) == count)


@SIZES
def test_looks(picture: Picture, size: tuple[int, int]) -> None:
    count = 3 if size == SMALL else 6
    assert picture.matches(scripted(count), lambda pilot: lead(pilot, count), size)


def test_curves_look(picture: Picture) -> None:
    async def to_curves(pilot: Pilot[None]) -> None:
        await lead(pilot, 3)
        await pilot.press("v")

    assert picture.matches(scripted(3), to_curves, SMALL)
