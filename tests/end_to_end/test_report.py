"""What a training was worth is read by task and by file, and the same run made once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.results.report.types import FILE
from tests.engine.train.runs import write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import CommandLine

pytestmark = pytest.mark.end_to_end


def _losses(events: list[dict[str, Any]]) -> list[float]:
    """Give the loss of each step."""
    return [event["loss"] for event in events if event["type"] == "step_logged"]


def test_a_report_is_read_and_its_run_made_again(
    loradeck: CommandLine, tiny_llama: Path, tmp_path: Path
) -> None:
    dataset = write_rows(tmp_path / "rows.jsonl", 40)
    sets = ("--set", "max_steps=3", "--set", "eval_rows=8", "--set", "seed=7")
    first = loradeck.events("train", dataset, "--model", tiny_llama, "--name", "first", *sets)
    assert "report_made" in [event["type"] for event in first]

    report = loradeck.json("report", "first")
    assert (report["task_name"], report["judged_on"], report["steps"]) == ("first", "held-out", 3)
    shown = loradeck.run("report", "first")
    assert max(map(len, shown.splitlines())) <= 80
    for words in ("Perplexity", "Token accuracy", "chrF", report["dataset_sha256"][:20], "Seed"):
        assert words in shown

    adapter = loradeck.home.adapter("first")
    loradeck.run("tasks", "delete", "first")
    again = loradeck.events("train", "--from-report", adapter / FILE, "--name", "again")
    assert _losses(again) == _losses(first)
    assert loradeck.json("report", "again")["adapter"] == report["adapter"]

    write_rows(dataset, 41)
    start = ("train", "--from-report", "again", "--name", "third")
    assert "is not what 'again' was trained on" in loradeck.run(*start, code=2)
