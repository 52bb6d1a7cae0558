"""The process that jobs run in: ``python -P -m benchmarks.child JOBS.json``, started by ``runs``.

Sets its environment as a worker does, before torch is imported, whoever trains in it: TRL gets
the same thread settings, so that no ratio comes from them.
"""

from __future__ import annotations

import importlib
import os
import resource
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.jobs import JOBS, Job, LossJob, Outcome, TrainJob
from engine.files import write_atomic
from engine.tasks.events import PhaseEntered
from engine.train.worker import library_environment

if TYPE_CHECKING:
    from engine.tasks.events import Event


@dataclass(frozen=True)
class Mark:
    """The clocks at one moment, in seconds."""

    cpu: float
    wall: float

    @classmethod
    def now(cls) -> Mark:
        """Read the clocks; children of this process count once they have ended."""
        uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return cls(sum(use.ru_utime + use.ru_stime for use in uses), time.monotonic())


class Recorder:
    """A reporter that keeps every event, and the clocks where the training begins and ends."""

    stop_requested = finish_requested = False

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.began: Mark | None = None
        self.ended: Mark | None = None

    def sync(self) -> None:
        """Nothing is kept on a disk."""

    def report(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)
        if not isinstance(event, PhaseEntered):
            return
        if event.phase == "training":
            self.began = Mark.now()
        elif self.began and not self.ended:
            self.ended = Mark.now()


def main() -> None:
    """Work the jobs off, one after the other, as long as somebody waits for them."""
    parent = os.getppid()
    jobs = JOBS.validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    os.environ.update(library_environment(""))
    for job in jobs:
        if os.getppid() != parent:
            return
        write_atomic(job.result, _run(job).model_dump_json())


def _run(job: Job) -> Outcome:
    """Do one job; what it needs is imported now, with the environment set."""
    if isinstance(job, TrainJob):
        return _train(job)
    if isinstance(job, LossJob):
        return _measure(job)
    outcome: Outcome = importlib.import_module("benchmarks.contestants").run(job)
    return outcome


def _measure(job: LossJob) -> Outcome:
    """Measure adapters."""
    outcome: Outcome = importlib.import_module("benchmarks.held_out").measure(job)
    return outcome


def _train(job: TrainJob) -> Outcome:
    """Train with LoRADeck."""
    recorder = Recorder()
    trainer = importlib.import_module("engine.train.trainer")
    # What the adapter answers afterwards is not measured, and takes as long as a small training
    trainer.judge = lambda *_: None
    trainer.train(job.spec, recorder)
    assert recorder.began, "the task entered no training phase"
    assert recorder.ended, "no phase followed the training"
    outcome = Outcome(
        cpu_seconds=recorder.ended.cpu - recorder.began.cpu,
        wall_seconds=recorder.ended.wall - recorder.began.wall,
        peak_memory=peak_memory(),
        events=recorder.events,
    )
    shutil.rmtree(job.spec.checkpoints, ignore_errors=True)  # a grid's would fill the disk
    if job.test:
        outcome.losses = _losses(job, job.test)
        shutil.rmtree(job.spec.folder)
    return outcome


def _losses(job: TrainJob, test: Path) -> list[float]:
    """Measure the finished adapter."""
    plan = job.spec.plan
    asked = LossJob(
        result=job.result,
        model=Path(plan.model.path or ""),
        dataset=test,
        adapters=[job.spec.output],
        cores=max(1, plan.device.cores),
    )
    return _measure(asked).losses


def peak_memory() -> int:
    """Read the peak in bytes: of the GPU's allocator, else of this process."""
    torch = importlib.import_module("torch")
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
