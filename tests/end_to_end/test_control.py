"""Pause, go on, finish: by the command line, with a real engine and real workers."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from engine.locks import holder
from engine.tasks.events import StepLogged
from engine.tasks.journal import read_events
from engine.train.worker import LOCK

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.end_to_end.conftest import CommandLine

pytestmark = pytest.mark.end_to_end


def _until(process: subprocess.Popen[str], is_it: Callable[[dict[str, Any]], bool]) -> None:
    """Read a follower's events until one is what is waited for."""
    assert process.stdout is not None
    for line in process.stdout:
        if is_it(json.loads(line)):
            return
    raise AssertionError("it did not come")


def test_a_task_is_paused_goes_on_and_is_finished_early(
    loradeck: CommandLine, tiny_llama: Path, samples: Path
) -> None:
    dataset = samples / "alpaca_example.json"
    training = ["train", str(dataset), "--model", str(tiny_llama), "--name", "bot", "--json"]
    settings = ["--set", "num_epochs=1000", "--set", "save_steps=500"]
    follower = loradeck.start(*training, *settings)
    _until(follower, lambda event: event["type"] == "step_logged" and event["step"] >= 3)
    assert loradeck.json("tasks", "pause", "bot")["requested"] == "pause"
    _until(follower, lambda event: event["type"] == "task_stopped")
    watched = loradeck.start("tasks", "follow", "bot", "--json")
    task = loradeck.json("tasks", "show", "bot")
    folder = loradeck.home.task(task["id"])
    while task["status"] == "running":  # the process is still ending
        task = loradeck.json("tasks", "show", "bot")
    assert task["status"] == "paused"
    assert holder(folder / LOCK) is None
    loradeck.run("tasks", "resume", "bot")
    _until(watched, lambda event: event["type"] == "task_started" and event["resumed_from"] > 0)
    _until(watched, lambda event: event["type"] == "step_logged")
    loradeck.run("tasks", "finish", "bot")
    for process in (follower, watched):
        process.communicate(timeout=120)
        assert process.returncode == 0
    task = loradeck.json("tasks", "show", "bot")
    assert (task["status"], task["requested"]) == ("completed", "")
    assert (loradeck.home.adapter("bot") / "adapter_model.safetensors").exists()
    steps = [event.step for event in read_events(folder) if isinstance(event, StepLogged)]
    assert steps == list(range(1, len(steps) + 1))
    refused = loradeck.run("tasks", "resume", "bot", code=2)
    assert "has ended already" in refused

    more = loradeck.json("plan", dataset, "--from", "bot")
    assert more["base_model"] == task["base_model"]
    assert more["choices"]["lora_rank"]["value"] == task["training_params"]["lora_rank"]
    assert more["choices"]["lora_rank"]["reason"] == "of the adapter that is trained further"
    refused = loradeck.run("plan", dataset, "--from", "bot", "--set", "lora_rank=3", code=2)
    assert "does not fit the adapter" in refused
    other = shutil.copytree(tiny_llama, loradeck.home.root / "another")
    refused = loradeck.run("plan", dataset, "--from", "bot", "--model", other, code=2)
    assert "was trained on" in refused
    assert "no adapter 'none'" in loradeck.run("plan", dataset, "--from", "none", code=2)
    assert "Base model missing" in loradeck.run("plan", dataset, code=2)
