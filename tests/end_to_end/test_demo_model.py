"""The claim of the demo: a few rows change what the demo model answers; here four, for time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import CommandLine

pytestmark = pytest.mark.end_to_end


def test_adapter_answers_as_the_dataset_does_and_the_base_does_not(
    loradeck: CommandLine, demo_home: Path, samples: Path
) -> None:
    (loradeck.home.models / "demo").symlink_to(demo_home / "models" / "demo")
    rows = json.loads((samples / "alpaca_example.json").read_text(encoding="utf-8"))
    dataset = loradeck.home.datasets / "four.json"
    dataset.write_text(json.dumps(rows[:4]), encoding="utf-8")
    given = ("--model", "demo", "--name", "demo", "--set", "num_epochs=8")
    events = loradeck.events("train", dataset, *given)
    assert events[-1]["task"]["status"] == "completed"
    compared = next(event for event in events if event["type"] == "answers_compared")
    assert compared["adapter_answer"] == compared["reference"]
    assert compared["base_answer"] != compared["reference"]
