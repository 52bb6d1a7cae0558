"""The main job, whole: real server, real worker, a tiny random model."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from engine.locks import holder
from engine.plan.types import Plan
from engine.server.main import LOCK
from engine.tasks.journal import read_events
from engine.train.spec import TaskSpec
from engine.train.trainer import train
from engine.train.worker import LOCK as WORKER_LOCK

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from engine.tasks.events import Event
    from tests.end_to_end.conftest import CommandLine

pytestmark = pytest.mark.end_to_end

RECORD_FIELDS = {
    "id",
    "task_name",
    "base_model",
    "dataset_file",
    "dataset_type",
    "output_path",
    "training_params",
    "status",
    "progress",
    "current_epoch",
    "message",
    "created_at",
    "started_at",
    "completed_at",
}
PARAMETERS = {
    "lora_rank",
    "lora_alpha",
    "lora_dropout",
    "num_epochs",
    "batch_size",
    "gradient_accumulation_steps",
    "learning_rate",
    "use_4bit",
    "max_seq_length",
}


def _train(name: str, dataset: Path, model: Path, *more: str) -> list[str]:
    """Give the arguments of a training."""
    return ["train", str(dataset), "--model", str(model), "--name", name, *more]


def _next(process: subprocess.Popen[str], kind: str) -> dict[str, Any]:
    """Read events until one of a kind comes."""
    assert process.stdout is not None
    for line in process.stdout:
        event: dict[str, Any] = json.loads(line)
        if event["type"] == kind:
            return event
    raise AssertionError(f"no {kind}")


def test_train_from_file_to_adapter(spawned: CommandLine, tiny_llama: Path, samples: Path) -> None:
    events = spawned.events(
        *_train("first", samples / "alpaca_example.json", tiny_llama, "--set", "save_steps=10")
    )
    kinds = [event["type"] for event in events]
    assert kinds[0] == "task_created"
    assert kinds[-1] == "task_ended"
    steps = [event for event in events if event["type"] == "step_logged"]
    assert [event["step"] for event in steps] == list(range(1, steps[0]["max_steps"] + 1))
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert [event["seq"] for event in events[1:-1]] == list(range(1, len(events) - 1))
    assert "answers_compared" in kinds

    task = spawned.json("tasks", "show", "first")
    assert task.keys() >= RECORD_FIELDS
    assert task["training_params"].keys() >= PARAMETERS
    assert (task["status"], task["progress"], task["dataset_type"]) == ("completed", 100, "alpaca")
    assert spawned.json("tasks") == [task]

    adapter = spawned.home.adapter("first")
    names = {path.name for path in adapter.iterdir()}
    assert names >= {
        "adapter_model.safetensors",
        "adapter_config.json",
        "tokenizer.json",
        "chat_template.jinja",
        "generation_config.json",
        "README.md",
    }
    assert task["output_path"] == str(adapter)
    # Nothing half written is left beside it.
    assert [path.name for path in adapter.parent.iterdir()] == ["first"]

    spawned.run("tasks", "delete", "first")
    assert spawned.json("tasks") == []
    assert not spawned.home.task(task["id"]).exists()
    assert adapter.exists()


def test_four_bit_evaluation_and_sharegpt(
    loradeck: CommandLine, tiny_llama: Path, samples: Path
) -> None:
    events = loradeck.events(
        *_train(
            "four",
            samples / "sharegpt_example.json",
            tiny_llama,
            "--set",
            "use_4bit=true",
            "--set",
            "eval_rows=2",
            "--set",
            "max_steps=4",
            "--set",
            "num_epochs=2",
        )
    )
    assert events[-1]["task"]["status"] == "completed"
    assert events[-1]["task"]["dataset_type"] == "sharegpt"
    assert any(event["type"] == "evaluated" for event in events)


def test_killed_worker_is_replaced_and_loses_no_checkpoint(
    loradeck: CommandLine, tiny_llama: Path, samples: Path
) -> None:
    process = loradeck.start(
        *_train(
            "bot",
            samples / "alpaca_example.json",
            tiny_llama,
            "--json",
            "--set",
            "save_steps=5",
            "--set",
            "num_epochs=20",
        )
    )
    task = _next(process, "task_created")["task"]
    checkpoint = _next(process, "checkpoint_saved")["step"]
    worker = holder(loradeck.home.task(task["id"]) / WORKER_LOCK)
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    again = _next(process, "task_started")
    assert again["resumed_from"] >= checkpoint
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert json.loads(out.splitlines()[-1])["task"]["status"] == "completed"
    numbers = [event.seq for event in read_events(loradeck.home.task(task["id"]))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_training_outlives_server_and_client(
    spawned: CommandLine, tiny_llama: Path, samples: Path
) -> None:
    process = spawned.start(
        *_train(
            "bot",
            samples / "alpaca_example.json",
            tiny_llama,
            "--json",
            "--set",
            "num_epochs=100",
            "--set",
            "save_steps=500",
        )
    )
    task = _next(process, "task_created")["task"]
    _next(process, "step_logged")
    server = holder(spawned.home.run / LOCK)
    worker = holder(spawned.home.task(task["id"]) / WORKER_LOCK)
    assert server is not None
    process.kill()
    process.communicate()
    os.kill(server, signal.SIGKILL)
    found = spawned.json("tasks", "show", "bot")  # starts the next server
    assert found["status"] == "running"
    assert holder(spawned.home.task(task["id"]) / WORKER_LOCK) == worker
    assert spawned.json("engine", "status")["pid"] != server
    spawned.run("tasks", "cancel", "bot")
    assert spawned.events("tasks", "follow", "bot", code=1)[-1]["type"] == "task_ended"
    assert spawned.json("tasks", "show", "bot")["status"] == "cancelled"
    assert not spawned.home.adapter("bot").exists()


def test_followed_training_is_followed_on_when_the_engine_ends(
    loradeck: CommandLine, tiny_llama: Path, samples: Path
) -> None:
    rows = samples / "alpaca_example.json"
    process = loradeck.start(*_train("bot", rows, tiny_llama, "--json", "--set", "num_epochs=20"))
    _next(process, "step_logged")
    loradeck.run("engine", "stop")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    events = [json.loads(line) for line in out.splitlines()]
    assert events[-1]["task"]["status"] == "completed"
    numbers = [event["seq"] for event in events[:-1]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_what_a_run_measured_corrects_the_next_plan(
    spawned: CommandLine, tiny_llama: Path, samples: Path
) -> None:
    dataset = samples / "alpaca_example.json"
    planning = ["plan", str(dataset), "--model", str(tiny_llama)]
    before = spawned.json(*planning)
    assert (before["memory"]["measured"], before["seconds"]) == (False, None)
    events = spawned.events(*_train("first", dataset, tiny_llama))
    after = spawned.json(*planning)
    assert after["memory"]["measured"]
    assert after["seconds"] > 0
    (peak,) = (one["peak_memory"] for one in events if one["type"] == "task_completed")
    assert after["memory"]["total"] == pytest.approx(peak, rel=0.15)


class _Reporter:
    """Notes the kinds of events."""

    stop_requested = finish_requested = False

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def report(self, event: Event) -> None:
        """Note an event."""
        self.kinds.append(event.type)

    def sync(self) -> None:
        """Nothing is written."""


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_run_that_had_ended_is_taken_as_it_was(
    loradeck: CommandLine, tiny_llama: Path, samples: Path, tmp_path: Path
) -> None:
    rows = samples / "alpaca_example.json"
    loradeck.run(
        *_train(
            "bot",
            rows,
            tiny_llama,
            "--set",
            "max_steps=8",
            "--set",
            "lr_scheduler_type=constant",
            "--set",
            "save_steps=4",
        )
    )
    folder = loradeck.home.task(loradeck.json("tasks")[0]["id"])
    plan = Plan.model_validate_json((folder / "plan.json").read_text())
    output = tmp_path / "again"
    again = TaskSpec(
        task_id="again", task_name="again", plan=plan, folder=folder, output=output,
        partial=tmp_path / "partial", cache=tmp_path / "cache",
    )  # fmt: skip
    train(again, reporter := _Reporter())
    assert "adapter_saved" in reporter.kinds
    assert "step_logged" not in reporter.kinds
    first, second = (
        (path / "adapter_model.safetensors").read_bytes()
        for path in (loradeck.home.adapter("bot"), output)
    )
    assert first == second


def test_interrupted_command_leaves_the_task_running(
    loradeck: CommandLine, tiny_llama: Path, samples: Path
) -> None:
    process = loradeck.start(
        *_train(
            "bot", samples / "alpaca_example.json", tiny_llama, "--json", "--set", "num_epochs=100"
        )
    )
    _next(process, "step_logged")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "goes on" in err
    assert loradeck.json("tasks", "show", "bot")["status"] == "running"


def test_two_commands_at_once_start_one_engine(loradeck: CommandLine) -> None:
    commands = [loradeck.start("tasks", "--json") for _ in range(4)]
    for command in commands:
        out, err = command.communicate(timeout=60)
        assert (command.returncode, json.loads(out)) == (0, []), err
    log = (loradeck.home.run / "engine.log").read_text()
    assert log.count("serves") == 1
    assert loradeck.home.socket.stat().st_mode & 0o777 == 0o600
    assert loradeck.home.socket.parent.stat().st_mode & 0o777 == 0o700


def test_stale_socket_of_a_killed_engine(loradeck: CommandLine) -> None:
    loradeck.run("tasks")
    server = holder(loradeck.home.run / LOCK)
    assert server is not None
    os.kill(server, signal.SIGKILL)
    assert loradeck.home.socket.exists()
    assert loradeck.json("tasks") == []
    assert loradeck.json("engine", "stop") == {"stopped": True}
    assert loradeck.json("engine", "stop") == {"stopped": False}
    assert loradeck.json("engine", "status") == {"running": False}
