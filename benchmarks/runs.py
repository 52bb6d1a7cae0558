"""Plans for a benchmark's datasets, and jobs carried out in a process of their own.

Loads no torch, so that a child does not start with its parent's peak memory as its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.jobs import JOBS, Outcome
from engine.data.inspect import inspect_dataset, refuse_errors
from engine.data.lengths import measure
from engine.data.scan_cached import sample_cached
from engine.home import Home
from engine.models.pull import pull
from engine.plan.planner import make_plan
from engine.train.spec import TaskSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.jobs import Job
    from engine.data.types import Inspection, Lengths
    from engine.models.types import ModelInfo
    from engine.plan.types import Device, Plan

REPOSITORY = Path(__file__).parents[1]
CACHE = REPOSITORY / ".cache"
DISK_FREE = 10**12
"""As the plans see it: disks are not what is measured here."""


def demo_model() -> ModelInfo:
    """Give the demo model, fetched once into the home that the tests keep in the checkout."""
    return pull(Home(CACHE / "test-home"), "demo", lambda *_: None)


def plan_for(
    dataset: Path, model: ModelInfo, device: Device, overrides: Mapping[str, object]
) -> Plan:
    """Plan a run as the engine would."""
    context = model.shape.context if model.shape else None
    inspection, lengths = _look(dataset, Path(model.path or ""), context)
    return make_plan(
        inspection=inspection,
        lengths=lengths,
        model=model,
        device=device,
        overrides=overrides,
        disk_free=DISK_FREE,
        dataset_file=str(dataset),
        base_model=model.name,
    )


@cache
def _look(dataset: Path, model: Path, context: int | None) -> tuple[Inspection, Lengths]:
    """Inspect and measure a dataset; its file must not change."""
    inspection = inspect_dataset(dataset)
    refuse_errors(inspection)
    return inspection, measure(sample_cached(dataset), model, context)


def task_of(plan: Plan, folder: Path) -> TaskSpec:
    """Make a task whose files all lie in one folder, which is created."""
    folder.mkdir(parents=True)
    return TaskSpec(
        task_id=folder.name,
        task_name=folder.name,
        plan=plan,
        folder=folder,
        output=folder / "adapter",
        partial=folder / ".partial",
        cache=folder / "cache",
    )


def run(jobs: Sequence[Job], folder: Path, *, gpu: str = "") -> Iterator[Outcome]:
    """Carry jobs out, in turn in one process, and give each outcome once it is there.

    Args:
        jobs: Each with a result file that is not there yet.
        folder: Takes the process's orders and its log.
        gpu: The UUID of the one that the process may see; empty for none.

    Raises:
        RuntimeError: The process ended before its jobs did; with the end of its log.
    """
    orders, log = folder / "jobs.json", folder / "child.log"
    orders.write_bytes(JOBS.dump_json(list(jobs)))
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "benchmarks.child", orders],
            env=_environment(gpu),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        for job in jobs:
            _wait(child, job.result, log)
            yield Outcome.model_validate_json(job.result.read_text(encoding="utf-8"))
        child.wait()
    finally:
        child.kill()
        child.wait()


def _environment(gpu: str) -> dict[str, str]:
    """Let the child find this checkout, one GPU or none, and nothing on the network."""
    settings = {"PYTHONPATH": str(REPOSITORY), "HF_HUB_OFFLINE": "1"}
    return {**os.environ, **settings, "CUDA_VISIBLE_DEVICES": gpu}


def _wait(child: subprocess.Popen[bytes], result: Path, log: Path) -> None:
    """Wait until a result is there, or the child has ended without it."""
    while not result.exists():
        if child.poll() is not None and not result.exists():
            tail = log.read_text(encoding="utf-8", errors="replace")[-3000:]
            raise RuntimeError(f"a job ended with {child.returncode}:\n{tail}")
        time.sleep(0.2)
