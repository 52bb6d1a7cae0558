"""How near a plan comes to what its run then takes, in memory and in time.

    .venv/bin/python benchmarks/plan_accuracy.py [--only WORD] [--steps 16] [--json FILE]

Trains the demo model and a second one of another shape (random weights) on the CPU, a process a
setting: rows of given lengths, several batches, with and without checkpointing, in fp32 and, where
the processor is made for it, bf16. Prints for each setting

- the peak memory that the plan names before anything has run, the one that the measured step
  before the first corrects it to, and the process's real peak, with both errors;
- the seconds left as the dashboard shows them after the tenth step, and how long it really took,

then the worst and the median error of each. About a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.alpaca_like import prose, write_rows
from benchmarks.jobs import Outcome, TrainJob
from benchmarks.random_models import SMALL_QWEN, make_model
from benchmarks.runs import demo_model, plan_for, run, task_of
from benchmarks.tables import megabytes, print_table, write_json
from engine.data.model_files import load_tokenizer
from engine.plan.processor import processor
from engine.tasks.events import Event, MemoryProbed, PhaseEntered, StepLogged, TaskCompleted
from engine.tasks.progress import Progress
from engine.tasks.record import Status, TaskRecord

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from engine.models.types import ModelInfo
    from engine.plan.types import Device, Plan

ASKED_AFTER = 10
"""Steps after which the time left is looked at."""
_TEMPLATE = 36
"""Tokens that the demo's chat template adds to a row."""


@dataclass(frozen=True)
class Setting:
    """One run."""

    model: str
    longest: int
    """Tokens of the longest row."""
    batch: int
    shortest: int = 0
    """Rows have lengths between the two; 0 makes all as long as the longest."""
    checkpointing: bool = False
    dtype: str = "float32"
    use_4bit: bool = False
    eval_rows: int = 0

    @property
    def name(self) -> str:
        """Name the setting in a few words."""
        length = f"{self.shortest}-{self.longest}" if self.shortest else str(self.longest)
        extras = ("twice" if self.checkpointing else "", "4-bit" if self.use_4bit else "")
        evaluated = "evaluated" if self.eval_rows else ""
        words = (self.model, f"{length} x {self.batch}", self.dtype, *extras, evaluated)
        return " ".join(word for word in words if word)

    def overrides(self, steps: int) -> dict[str, Any]:
        """Give what the plan is told."""
        return {
            "batch_size": self.batch,
            "gradient_accumulation_steps": 1,
            "gradient_checkpointing": self.checkpointing,
            "dtype": self.dtype,
            "use_4bit": self.use_4bit,
            "eval_rows": self.eval_rows,
            "early_stopping_patience": 0,
            "warmup_steps": 0,
            "max_steps": steps,
            "save_steps": max(1, steps // 2 - 1),
        }


SETTINGS = (
    Setting("demo", 96, 1),
    Setting("demo", 96, 4),
    Setting("demo", 256, 2),
    Setting("demo", 256, 2, checkpointing=True),
    Setting("demo", 448, 3, shortest=64, eval_rows=6),
    Setting("demo", 512, 2),
    Setting("demo", 512, 2, checkpointing=True),
    Setting("qwen", 128, 4),
    Setting("qwen", 384, 2),
    Setting("qwen", 384, 3, checkpointing=True),
)
BF16_SETTINGS = (
    Setting("demo", 256, 2, dtype="bfloat16"),
    Setting("qwen", 384, 2, dtype="bfloat16", checkpointing=True),
)


def main() -> None:
    """Run the settings and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="", help="settings with this word in their name")
    parser.add_argument("--steps", type=int, default=16, help="of each run; more than ten")
    parser.add_argument("--json", type=Path, help="write all figures there")
    given = parser.parse_args()
    device, demo = processor(), demo_model()
    with tempfile.TemporaryDirectory(prefix="loradeck-") as name:
        folder = Path(name)
        qwen = make_model(folder / "qwen", SMALL_QWEN, Path(demo.path or ""))
        models = {"demo": demo, "qwen": qwen}
        chosen = [one for one in settings_for(device) if given.only in one.name]
        figures = [
            measure(one, models[one.model], device, folder / str(at), given.steps)
            for at, one in enumerate(chosen)
        ]
    print(f"{device.name}, {device.cores} cores\n")
    print_accuracy(figures)
    write_json(given.json, figures)


def settings_for(device: Device) -> tuple[Setting, ...]:
    """List the settings that a CPU can run at full speed."""
    return SETTINGS + (BF16_SETTINGS if device.bf16 else ())


def measure(
    setting: Setting, model: ModelInfo, device: Device, folder: Path, steps: int
) -> dict[str, Any]:
    """Plan a setting, run it and compare."""
    folder.mkdir()
    rows = write_rows(folder / "rows.jsonl", _rows(setting, Path(model.path or ""), steps))
    plan = plan_for(rows, model, device, setting.overrides(steps))
    job = TrainJob(result=folder / "outcome.json", spec=task_of(plan, folder / "task"))
    (outcome,) = run([job], folder, gpu=device.uuid)
    print(f"{setting.name}: {outcome.wall_seconds:.0f} s", file=sys.stderr, flush=True)
    return {"setting": setting.name} | _memory(plan, outcome) | _time(outcome.events)


def _rows(setting: Setting, model: Path, steps: int) -> list[dict[str, str]]:
    """Make rows of the setting's lengths, the longest among them."""
    random_ = random.Random(setting.name)  # noqa: S311 - not for secrets
    tokenizer = load_tokenizer(model)
    shortest = setting.shortest or setting.longest
    count = setting.batch * steps + setting.eval_rows
    lengths = [setting.longest, *(random_.randint(shortest, setting.longest) for _ in range(count))]
    return [_row(random_, tokenizer, length) for length in lengths]


def _row(random_: random.Random, tokenizer: Tokenizer, tokens: int) -> dict[str, str]:
    """Cut prose so that the row has so many tokens, or very few others."""
    wanted = max(8, tokens - _TEMPLATE)
    topic = f"case {random_.randrange(10**6)}"
    ids = tokenizer.encode(prose(random_, 2 * wanted, topic), add_special_tokens=False).ids
    prompt = wanted // 3
    return {
        "instruction": tokenizer.decode(ids[:prompt]).strip(),
        "input": "",
        "output": tokenizer.decode(ids[prompt:wanted]).strip(),
    }


def _memory(plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """Compare both predictions of the peak with the peak."""
    events = outcome.events
    peak = next(event.peak_memory for event in events if isinstance(event, TaskCompleted))
    probed = next((event.measured for event in events if isinstance(event, MemoryProbed)), None)
    return {
        "memory_planned": plan.memory.total,
        "memory_probed": probed,
        "memory_peak": peak,
        "memory_error": plan.memory.total / peak - 1,
        "memory_probed_error": probed / peak - 1 if probed else None,
        "memory_parts": plan.memory.parts,
    }


def _time(events: list[Event]) -> dict[str, Any]:
    """Compare the time left as shown after the tenth step with what it took."""
    ended = next(
        event.time
        for before, event in pairwise(one for one in events if isinstance(one, PhaseEntered))
        if before.phase == "training"
    )
    progress = Progress()
    for event in events:
        progress.apply(event)
        if isinstance(event, StepLogged) and event.step == ASKED_AFTER:
            left = progress.view(_running()).seconds_left
            took = ended - event.time
            assert left is not None, "no time was predicted"
            return {"seconds_left": left, "seconds_took": took, "time_error": left / took - 1}
    raise AssertionError(f"the run had no step {ASKED_AFTER}")


def _running() -> TaskRecord:
    """Give a record of a task that runs: a view of it shows the time left."""
    return TaskRecord(
        task_name="accuracy",
        base_model="",
        dataset_file="",
        dataset_type="",
        output_path="",
        training_params={},
        status=Status.RUNNING,
    )


def print_accuracy(figures: list[dict[str, Any]]) -> None:
    """Print a line a setting, then the worst and the median errors."""
    heads = ["setting", "plan MB", "probe MB", "peak MB", "plan", "probe", "left s", "took s", ""]
    rows = [_line(one) for one in figures]
    keys = ("memory_error", "memory_probed_error", "time_error")
    for name, pick in (("worst", max), ("median", statistics.median)):
        found = [[abs(one[key]) for one in figures if one[key] is not None] for key in keys]
        plan, probe, time = [f"{pick(each):.1%}" if each else "-" for each in found]
        rows.append([name, "", "", "", plan, probe, "", "", time])
    print_table(heads, rows)


def _line(one: dict[str, Any]) -> list[str]:
    """Write one setting's figures."""
    probed, error = one["memory_probed"], one["memory_probed_error"]
    return [
        one["setting"],
        megabytes(one["memory_planned"]),
        megabytes(probed) if probed else "-",
        megabytes(one["memory_peak"]),
        f"{one['memory_error']:+.1%}",
        f"{error:+.1%}" if error is not None else "-",
        f"{one['seconds_left']:.1f}",
        f"{one['seconds_took']:.1f}",
        f"{one['time_error']:+.1%}",
    ]


if __name__ == "__main__":
    main()
