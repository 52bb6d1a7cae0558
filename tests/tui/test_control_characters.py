"""Whatever bears control characters, the terminal gets none of them: screens, commands, JSON."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

import tui.cli
import tui.cli.commands
from engine.errors import LoraDeckError
from tests.tui import test_snapshots_results as results
from tests.tui.conftest import opened
from tests.tui.fake_engine import COPIES, EMPTY, FEW_STEPS, FakeEngine, measured
from tests.tui.test_snapshots import (
    DONE,
    choose_faulty,
    scripted,
    stay,
    to_datasets,
    to_measures,
    to_models,
    to_plan,
    to_row_editor,
    to_rows,
    to_sums,
    to_task,
)
from tui.cli import datasets, models, task_actions, tasks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
POISON = "\x1b]0;x\x07\x1b[2J\x9b31m\u202e\r"
ACTED_ON = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# By these the script finds what it shows
KEYS = {"id", "path", "base_model", "dataset_file", "dataset_type", "status"}


def poisoned(value: T, name: str = "") -> T:
    """Put control characters behind every free text of a value."""
    poison: Any = value
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        changes = {key: poisoned(getattr(value, key), key) for key in fields if _free(fields[key])}
        poison = value.model_copy(update=changes)
    elif isinstance(value, str) and name not in KEYS and type(value) is str:
        poison = value + POISON
    elif isinstance(value, dict):
        poison = {key: poisoned(one) for key, one in value.items()}
    elif isinstance(value, tuple):
        poison = tuple(poisoned(one) for one in value)
    return poison  # type: ignore[no-any-return]


def _free(field: Any) -> bool:
    """Tell whether a field may hold any text, or what does."""
    return "Literal" not in str(field.annotation)


def hostile() -> FakeEngine:
    """An engine of which every text was written by somebody hostile."""
    engine = scripted()
    engine.views = {key: poisoned(view) for key, view in engine.views.items()}
    engine.known_datasets = [poisoned(one) for one in engine.known_datasets]
    engine.known_models = {
        key: poisoned(one).model_copy(update={"name": one.name})
        for key, one in engine.known_models.items()
    }
    bad = poisoned(engine.known_models["demo"])
    engine.known_models[bad.name] = bad
    engine.inspections = {
        key: one if isinstance(one, LoraDeckError) else poisoned(one)
        for key, one in engine.inspections.items()
    }
    engine.inspections[measured().path] = poisoned(
        measured().model_copy(update={"findings": (EMPTY, COPIES)})
    )
    engine.plan_findings = (poisoned(FEW_STEPS),)
    engine.worker_log = f"line{POISON}\n"
    engine.event_script = {
        key: [poisoned(one) for one in events] for key, events in engine.event_script.items()
    }
    return engine


WAYS = {
    "home": stay, "faulty": choose_faulty, "datasets": to_datasets, "measures": to_measures,
    "models": to_models, "plan": to_plan, "sums": to_sums, "rows": to_rows,
    "editor": to_row_editor,
    "task": to_task("00000001", "step 11/24"), "done": to_task(DONE, "What the training"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_no_screen_hands_on_control_characters(
    way: Callable[[Pilot[None]], Awaitable[None]], tmp_path: Path
) -> None:
    async with opened(hostile(), tmp_path, (120, 50)) as (app, pilot):
        await way(pilot)
        shown = [
            segment.text for line in app.screen._compositor.render_strips() for segment in line
        ]
        assert [text for text in shown if ACTED_ON.search(text)] == []
        # Were the poison not shown at all, nothing would be tried
        assert way is to_row_editor or "␛" in "".join(shown)


RESULTS = {
    "report": results.to_report, "end": results.to_end, "refused": results.to_refused,
    "made": results.to_made, "jobs": results.to_jobs, "found": results.to_finds,
}  # fmt: skip


@pytest.mark.parametrize("way", RESULTS.values(), ids=RESULTS)
async def test_no_result_hands_on_control_characters(
    way: Callable[[Pilot[None]], Awaitable[None]], tmp_path: Path
) -> None:
    engine = results.scripted()
    engine.reports = {key: poisoned(one) for key, one in engine.reports.items()}
    engine.known_jobs = {key: poisoned(one) for key, one in engine.known_jobs.items()}
    engine.found = tuple(map(poisoned, engine.found))
    async with opened(engine, tmp_path, (120, 50)) as (app, pilot):
        await way(pilot)
        shown = "".join(line.text for line in app.screen._compositor.render_strips())
        assert not ACTED_ON.search(shown)
        assert "␛" in shown


COMMANDS = (
    ("tasks",), ("tasks", "show", DONE), ("tasks", "logs", DONE), ("models",),
    ("models", "pull", "demo"), ("datasets",), ("datasets", "remove", f"x{POISON}", "--yes"),
    ("tasks", "cancel", "00000001"), ("tasks", "delete", "nothing" + POISON),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_hands_on_control_characters(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = hostile()

    def talk(to: Callable[[FakeEngine], Awaitable[T]]) -> T:
        async def session() -> T:
            return await to(engine)

        return asyncio.run(session())

    for module in (tasks, task_actions, models, datasets):
        monkeypatch.setattr(module, "with_engine", talk)
    for options in ((), ("--json",)):
        result = CliRunner().invoke(tui.cli.commands.app, [*command, *options])
        assert not ACTED_ON.search(result.output), result.output
        if options and result.exit_code == 0 and result.stdout:
            json.loads(result.stdout)


def test_errors_and_faults_are_printed_without_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = LoraDeckError("Title" + POISON, "Message" + POISON, "Hint" + POISON)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(tui.cli, "_run", lambda: (_ for _ in ()).throw(error))
    with pytest.raises(SystemExit):
        tui.cli.main()
    fault = ValueError(POISON + "\udcff")
    sys.excepthook(ValueError, fault, None)
    told = capsys.readouterr().err
    assert "Hint" in told
    assert "ValueError" in told
    assert not ACTED_ON.search(told)
