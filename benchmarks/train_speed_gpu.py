"""Speed and memory on an NVIDIA GPU, beside TRL's defaults and Unsloth; and the plan's memory.

    .venv/bin/python benchmarks/train_speed_gpu.py [--shapes 1b,8b] [--rows 128] [--json FILE]

Makes models of Llama's 1B and 8B shapes with random weights (18 GB of disk for both) and trains
them, in 4-bit and in bf16, on the same Alpaca-like rows: LoRADeck as planned, TRL with its
defaults (batch 8, length 1024, checkpointing) and the same adapter, Unsloth where it is installed.
Prints tokens a second (wall clock, the training alone) and the allocator's peak. Then trains eight
settings of length, batch and checkpointing and prints the predicted memory beside the measured
peak. Who runs out of memory is shown as such.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.alpaca_like import alpaca_like, write_rows
from benchmarks.jobs import Job, Outcome, TrainJob, TrlJob
from benchmarks.plan_accuracy import Setting, measure, print_accuracy
from benchmarks.random_models import LLAMA_1B, LLAMA_8B, make_model
from benchmarks.runs import demo_model, plan_for, run, task_of
from benchmarks.tables import megabytes, print_table, write_json
from engine.plan.hardware import best_device

if TYPE_CHECKING:
    from engine.models.types import ModelInfo
    from engine.plan.types import Device

SHAPES = {"1b": LLAMA_1B, "8b": LLAMA_8B}
RANK = 16
LORA: dict[str, int | float | str] = {
    "r": RANK,
    "lora_alpha": 2 * RANK,
    "target_modules": "all-linear",
}
UNSLOTH_LORA = {"r": RANK, "lora_alpha": 2 * RANK}
"""Unsloth's own default names all linear layers."""
UNSLOTH: dict[str, bool | int | float | str] = {
    "per_device_train_batch_size": 2,
    "gradient_accumulation_steps": 4,
    "max_length": 1024,
    "optim": "adamw_8bit",
    "bf16": True,
}
"""As in Unsloth's notebooks, with TRL's default length."""
EPOCHS = 1
STEPS = 16
"""Of each setting whose memory is measured; the time left is looked at after ten."""


@dataclass(frozen=True)
class Race:
    """One model in one number format."""

    folder: Path
    name: str
    model: ModelInfo
    device: Device
    rows: Path
    use_4bit: bool

    @property
    def base(self) -> Path:
        """The base model's folder."""
        return Path(self.model.path or "")

    def jobs(self) -> dict[str, Job]:
        """List the contestants."""
        self.folder.mkdir()
        jobs: dict[str, Job] = {"loradeck": self._own(), "trl": self._trl()}
        if importlib.util.find_spec("unsloth"):
            result = self.folder / "unsloth.json"
            update = {"kind": "unsloth", "result": result, "output": self.folder / "unsloth"}
            how = {"arguments": UNSLOTH | {"num_train_epochs": EPOCHS}, "lora": UNSLOTH_LORA}
            jobs["unsloth"] = self._trl().model_copy(update=update | how)
        return jobs

    def _own(self) -> TrainJob:
        """Plan a run with the same adapter; how it is computed stays planned."""
        given: dict[str, Any] = {"use_4bit": self.use_4bit, "num_epochs": EPOCHS, "eval_rows": 0}
        given |= {"lora_rank": RANK, "lora_alpha": 2 * RANK, "dtype": "bfloat16"}
        plan = plan_for(self.rows, self.model, self.device, given)
        spec = task_of(plan, self.folder / "loradeck")
        return TrainJob(result=self.folder / "loradeck.json", spec=spec)

    def _trl(self) -> TrlJob:
        """Leave TRL at its defaults."""
        return TrlJob(
            result=self.folder / "trl.json",
            model=self.base,
            dataset=self.rows,
            output=self.folder / "trl",
            arguments={"num_train_epochs": EPOCHS},
            lora=LORA,
            use_4bit=self.use_4bit,
            cores=self.device.cores or 1,
        )


def main() -> None:
    """Run the races and the settings, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--shapes", default="1b,8b", help="of the models")
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--json", type=Path, help="write all figures there")
    given = parser.parse_args()
    device = best_device()
    if device.kind != "cuda":
        raise SystemExit(f"No NVIDIA GPU to measure on: {device.note or device.name}")
    speeds, accuracies = [], []
    for shape in given.shapes.split(","):
        with tempfile.TemporaryDirectory(prefix="loradeck-") as name:
            folder = Path(name)
            tokenizer = Path(demo_model().path or "")
            model = make_model(folder / shape, SHAPES[shape], tokenizer, "float16")
            rows = write_rows(folder / "rows.jsonl", alpaca_like(given.rows))
            for use_4bit in (True, False):
                name = f"{shape} {'4-bit' if use_4bit else 'bf16'}"
                race = Race(folder / name, name, model, device, rows, use_4bit)
                speeds += _race(race)
            accuracies += _accuracies(shape, model, device, folder)
    _print(device, speeds, accuracies)
    write_json(given.json, {"device": device.name, "speed": speeds, "memory": accuracies})


def _race(race: Race) -> list[dict[str, Any]]:
    """Let the contestants run in turn; one that fails is left without figures."""
    figures = []
    tokens = EPOCHS * _tokens(race)
    for name, job in race.jobs().items():
        outcome, fault = _attempt(job, race)
        speed = tokens / outcome.wall_seconds if outcome else None
        peak = outcome.peak_memory if outcome else None
        figures.append(
            {
                "run": f"{race.name} {name}",
                "tokens_per_second": speed,
                "peak_memory": peak,
                "fault": fault,
            }
        )
        print(figures[-1], file=sys.stderr, flush=True)
    return figures


def _tokens(race: Race) -> int:
    """Count the tokens of one epoch, prompts included and padding not."""
    plan = plan_for(race.rows, race.model, race.device, {"eval_rows": 0})
    return plan.lengths.estimated_total


def _attempt(job: Job, race: Race) -> tuple[Outcome | None, str]:
    """Carry a job out, or give the last line of what went wrong."""
    try:
        (outcome,) = run([job], race.folder, gpu=race.device.uuid)
    except RuntimeError as error:
        return None, str(error).strip().splitlines()[-1]
    return outcome, ""


def _accuracies(shape: str, model: ModelInfo, device: Device, folder: Path) -> list[dict[str, Any]]:
    """Compare predicted memory and time with measured ones at four settings of a model."""
    figures = []
    ways = ((512, 8, False), (1024, 4, True))
    for at, (use_4bit, way) in enumerate(product((True, False), ways)):
        longest, batch, twice = way
        setting = Setting(shape, longest, batch, 0, twice, "bfloat16", use_4bit)
        try:
            figures.append(measure(setting, model, device, folder / f"m{at}", STEPS))
        except RuntimeError as error:
            print(f"{setting.name}: {error}", file=sys.stderr, flush=True)
    return figures


def _print(device: Device, speeds: list[dict[str, Any]], accuracies: list[dict[str, Any]]) -> None:
    """Print both tables."""
    print(f"{device.name}\n")
    print_table(["run", "tokens/s", "peak MB", ""], [_line(one) for one in speeds])
    print()
    if accuracies:
        print_accuracy(accuracies)


def _line(one: dict[str, Any]) -> list[str]:
    """Write one contestant's figures, or why it has none."""
    if one["fault"]:
        return [one["run"], "-", "-", one["fault"][:60]]
    return [one["run"], f"{one['tokens_per_second']:,.0f}", megabytes(one["peak_memory"]), ""]


if __name__ == "__main__":
    main()
