"""A minute of faults, and proof that the harness sees what is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from engine.home import Home
from engine.tasks.events import StepLogged, TaskStarted
from engine.tasks.journal import JournalWriter
from tests.chaos.ground import Ground
from tests.chaos.invariants import numbered, steps_equal, steps_whole
from tests.chaos.reference import Undisturbed

REPOSITORY = Path(__file__).parents[2]
_RUN = "--seed 1 --tasks 2 --faults 40 --seconds 15 --gap 0.3 --quick 0.9 --verbose"


@pytest.mark.end_to_end
def test_nothing_is_lost_whatever_happens() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *_RUN.split()],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    (faults,) = re.findall(r"(\d+) faults, 2 tasks, 0 violations", run.stdout)
    # Some thirty; a machine that is busy with other things gets to a few
    assert int(faults) >= 5


def _step(number: int, loss: float = 1.0) -> StepLogged:
    """Make a step's event."""
    return StepLogged(
        step=number,
        max_steps=3,
        epoch=0.0,
        loss=loss,
        learning_rate=0.1,
        grad_norm=1.0,
        tokens=9,
        seconds=0.1,
    )


CALM = Undisturbed(b"", {number: _step(number) for number in (1, 2, 3)}, {})


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    home = Home(tmp_path / "home").prepare()
    home.task("a").mkdir()
    return Ground(tmp_path, home, Random(1), tasks=["a"])  # noqa: S311


def _write(ground: Ground, *events: StepLogged | TaskStarted) -> None:
    """Write a journal."""
    writer = JournalWriter(ground.home.task("a"))
    for event in events:
        writer.append(event)
    writer.close()


def test_a_run_that_went_on_from_a_checkpoint_is_whole(ground: Ground) -> None:
    again = TaskStarted(pid=1, device="", resumed_from=1)
    _write(ground, _step(1), _step(2), again, _step(2), _step(3))
    for invariant in (numbered, steps_whole, steps_equal):
        assert list(invariant(ground, "a", CALM)) == []


def test_holes_repetitions_and_other_figures_are_seen(ground: Ground) -> None:
    again = TaskStarted(pid=1, device="", resumed_from=3)
    _write(ground, _step(1), again, _step(3, 1.0000001))
    found = list(steps_whole(ground, "a", CALM))
    assert found == [
        "goes on from step 3, and step 1 is the last one told",
        "has step 3 after 3",
    ]
    assert len(list(steps_equal(ground, "a", CALM))) == 1
    path = ground.home.task("a") / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[0])
    assert list(numbered(ground, "a", CALM)) == ["has event 1 in place 2 of 2"]
