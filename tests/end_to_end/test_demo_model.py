"""The claim of the demo: twelve rows change what the demo model answers, here in fewer steps."""

from __future__ import annotations

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
    dataset = samples / "alpaca_example.json"
    given = ("--model", "demo", "--name", "demo", "--set", "num_epochs=5")
    events = loradeck.events("train", dataset, *given)
    assert events[-1]["task"]["status"] == "completed"
    compared = next(event for event in events if event["type"] == "answers_compared")
    assert compared["adapter_answer"] == compared["reference"]
    assert compared["base_answer"] != compared["reference"]
