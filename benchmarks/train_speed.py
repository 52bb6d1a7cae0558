"""How fast a training is, and how much memory it takes, beside plain TRL and beside the floor.

    .venv/bin/python benchmarks/train_speed.py [--runs 3] [--epochs 1] [--rows 32] [--json FILE]

Trains the demo model on the same Alpaca-like rows, each contestant in a process of its own, in
turn, so often as --runs says, on the CPU:

- plan: what LoRADeck's planner decides; only the epochs are given, and no row is held out;
- classic: LoRADeck with TRL's learning settings (rank 16, alpha 32, no dropout, effective batch
  16, rate 2e-4 falling linearly), so that speed is compared at equal learning;
- trl: SFTTrainer as users configure it (rank 16 on all linear layers, batch 4 x 4, dropout 0.05,
  checkpointing, length 512), trained on the answers only, as the others;
- floor: twice the frozen base's forward pass over the same tokens, without padding.

Prints medians: CPU and wall seconds of the training alone (no imports, loading or tokenizing;
LoRADeck's probe and checkpoints are counted), tokens a second, peak memory of the whole process,
the loss on further rows by one measure for all (fp32, PEFT, answers only), then the ratios.
All processes get a worker's thread settings. About 25 minutes on two cores.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.alpaca_like import alpaca_like, write_rows
from benchmarks.jobs import FloorJob, Job, LossJob, Outcome, TrainJob, TrlJob
from benchmarks.runs import demo_model, plan_for, run, task_of
from benchmarks.tables import megabytes, print_table, write_json
from engine.plan.processor import processor

if TYPE_CHECKING:
    from engine.models.types import ModelInfo
    from engine.plan.types import Device, Plan

EFFECTIVE_BATCH = 16
CLASSIC = {
    "lora_rank": 16,
    "lora_alpha": 32,
    "lora_dropout": 0.0,
    "learning_rate": 2e-4,
    "lr_scheduler_type": "linear",
    "warmup_steps": 0,
}
TRL = {
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 4,
    "learning_rate": 2e-4,
    "max_length": 512,
    "gradient_checkpointing": True,
}
TRL_LORA = {"r": 16, "lora_alpha": 32, "lora_dropout": 0.05, "target_modules": "all-linear"}


@dataclass(frozen=True)
class Race:
    """What all contestants have in common."""

    folder: Path
    model: ModelInfo
    device: Device
    train: Path
    held_out: Path
    epochs: int

    @property
    def base(self) -> Path:
        """The base model's folder."""
        return Path(self.model.path or "")

    @property
    def tokens(self) -> int:
        """Tokens that a training sees, prompts included and padding not."""
        return self.epochs * self.plan(42).lengths.estimated_total

    def plan(self, seed: int, overrides: dict[str, Any] | None = None) -> Plan:
        """Plan a run on all rows."""
        given = {"num_epochs": self.epochs, "eval_rows": 0, "seed": seed} | (overrides or {})
        return plan_for(self.train, self.model, self.device, given)

    def classic(self, seed: int) -> Plan:
        """Plan a run with TRL's learning settings; how many rows go at once stays planned."""
        rows = min(EFFECTIVE_BATCH, self.plan(seed).training_params.batch_size)
        batch = {"batch_size": rows, "gradient_accumulation_steps": EFFECTIVE_BATCH // rows}
        return self.plan(seed, CLASSIC | batch)

    def jobs(self, seed: int) -> dict[str, Job]:
        """List the contestants of one round."""
        folder = self.folder / str(seed)
        own = {"plan": self.plan(seed), "classic": self.classic(seed)}
        jobs: dict[str, Job] = {
            name: TrainJob(result=folder / f"{name}.json", spec=task_of(plan, folder / name))
            for name, plan in own.items()
        }
        jobs["trl"] = self._trl(folder, seed)
        for dtype in dict.fromkeys((own["plan"].training_params.dtype, "float32")):
            jobs[f"floor {dtype}"] = self._floor(folder / f"floor-{dtype}.json", dtype)
        return jobs

    def _trl(self, folder: Path, seed: int) -> TrlJob:
        """Configure TRL as its users do; in bf16, its default, where this CPU is made for it."""
        how = {"num_train_epochs": self.epochs, "seed": seed, "bf16": self.device.bf16}
        return TrlJob(
            result=folder / "trl.json",
            model=self.base,
            dataset=self.train,
            output=folder / "trl" / "adapter",
            arguments=TRL | how | {"use_cpu": True},
            lora=TRL_LORA,
            cores=self.device.cores,
        )

    def _floor(self, result: Path, dtype: str) -> FloorJob:
        """Ask for the floor."""
        return FloorJob(
            result=result,
            model=self.base,
            dataset=self.train,
            dtype=dtype,
            passes=self.epochs,
            cores=self.device.cores,
        )


def main() -> None:
    """Run the race and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=3, help="rounds; medians are printed")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--held-out", type=int, default=16, help="rows for the loss")
    parser.add_argument("--json", type=Path, help="write all figures there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="loradeck-") as name:
        folder = Path(name)
        rows = alpaca_like(given.rows + given.held_out)
        race = Race(
            folder=folder,
            model=demo_model(),
            device=processor(),
            train=write_rows(folder / "train.jsonl", rows[: given.rows]),
            held_out=write_rows(folder / "held-out.jsonl", rows[given.rows :]),
            epochs=given.epochs,
        )
        found, losses = _race(race, given.runs)
        figures = _figures(race, found, losses)
    _print(race, figures)
    write_json(given.json, figures)


def _race(race: Race, rounds: int) -> tuple[dict[str, list[Outcome]], dict[str, list[float]]]:
    """Let the contestants run in turn, then measure what each adapter is worth."""
    found: dict[str, list[Outcome]] = {}
    for seed in range(42, 42 + rounds):
        for name, job in race.jobs(seed).items():
            (outcome,) = run([job], race.folder / str(seed))
            found.setdefault(name, []).append(outcome)
            print(f"{name:14} {outcome.cpu_seconds:7.1f} CPU s", file=sys.stderr, flush=True)
    return found, _losses(race, rounds)


def _losses(race: Race, rounds: int) -> dict[str, list[float]]:
    """Measure the base and every adapter, in one process, on the held-out rows."""
    names = ["plan", "classic", "trl"]
    seeds = range(42, 42 + rounds)
    adapters = [race.folder / str(seed) / name / "adapter" for name in names for seed in seeds]
    job = LossJob(
        result=race.folder / "losses.json",
        model=race.base,
        dataset=race.held_out,
        adapters=[None, *adapters],
        cores=race.device.cores,
    )
    (outcome,) = run([job], race.folder)
    base, *rest = outcome.losses
    by_name = {name: rest[at * rounds : (at + 1) * rounds] for at, name in enumerate(names)}
    return {"base": [base], **by_name}


def _figures(
    race: Race, found: dict[str, list[Outcome]], losses: dict[str, list[float]]
) -> dict[str, Any]:
    """Take medians and ratios."""
    medians = {name: _medians(race, outcomes) for name, outcomes in found.items()}
    for name, values in losses.items():
        medians.setdefault(name, {})["eval_loss"] = statistics.median(values)
    floors = [name for name in found if name.startswith("floor")]
    params = {"plan": race.plan(42), "classic": race.classic(42)}
    return {
        "device": race.device.name,
        "cores": race.device.cores,
        "tokens": race.tokens,
        "medians": medians,
        "ratios": {name: _ratios(medians, name, floors) for name in ("plan", "classic", "trl")},
        "params": {name: plan.training_params.model_dump() for name, plan in params.items()},
        "runs": {name: [_alone(one) for one in outcomes] for name, outcomes in found.items()},
        "losses": losses,
    }


def _alone(outcome: Outcome) -> dict[str, float]:
    """Give one run's own figures."""
    return {key: getattr(outcome, key) for key in ("cpu_seconds", "wall_seconds", "peak_memory")}


def _medians(race: Race, outcomes: list[Outcome]) -> dict[str, float]:
    """Take the medians of a contestant's runs."""
    runs = [_alone(outcome) for outcome in outcomes]
    found = {key: statistics.median(one[key] for one in runs) for key in runs[0]}
    return found | {"tokens_per_second": race.tokens / found["wall_seconds"]}


def _ratios(medians: dict[str, dict[str, float]], name: str, floors: list[str]) -> dict[str, float]:
    """Divide a contestant's figures by TRL's and by each floor's."""
    own, trl = medians[name], medians["trl"]
    keys = ("cpu_seconds", "wall_seconds", "peak_memory", "eval_loss")
    by_trl = {f"{key} / trl": own[key] / trl[key] for key in keys}
    by_floor = {
        f"cpu_seconds / {floor}": own["cpu_seconds"] / medians[floor]["cpu_seconds"]
        for floor in floors
    }
    return by_trl | by_floor


def _print(race: Race, figures: dict[str, Any]) -> None:
    """Print two tables."""
    print(f"{race.device.name}, {race.device.cores} cores; {race.tokens:,} tokens trained\n")
    heads = ["contestant", "CPU s", "wall s", "tokens/s", "peak MB", "eval loss"]
    print_table(heads, [_line(name, row) for name, row in figures["medians"].items()])
    print()
    ratios = figures["ratios"]
    print_table(
        ["ratio", *ratios],
        [[key, *(f"{row[key]:.3f}" for row in ratios.values())] for key in ratios["plan"]],
    )


def _line(name: str, row: dict[str, float]) -> list[str]:
    """Write a contestant's medians."""
    loss = f"{row['eval_loss']:.4f}" if "eval_loss" in row else ""
    if "cpu_seconds" not in row:
        return [name, "", "", "", "", loss]
    times = [f"{row[key]:.1f}" for key in ("cpu_seconds", "wall_seconds", "tokens_per_second")]
    return [name, *times, megabytes(row["peak_memory"]), loss]


if __name__ == "__main__":
    main()
