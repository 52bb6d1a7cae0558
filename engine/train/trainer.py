"""A training, whole: one function of a task's specification and a reporter."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from transformers import TrainerState, set_seed

from engine.results.compare import compare_answers
from engine.tasks.events import (
    PhaseEntered,
    TaskCompleted,
    TaskStarted,
    TaskStopped,
)
from engine.train.adapter import save_adapter
from engine.train.checkpoints import newest, step_of
from engine.train.encoding import EncodingStoppedError
from engine.train.prepare import prepare
from engine.train.setup import build_trainer, load_base, load_tokenizer

if TYPE_CHECKING:
    from trl import SFTTrainer

    from engine.train.spec import Reporter, TaskSpec


def train(spec: TaskSpec, reporter: Reporter) -> None:
    """Train an adapter from where the newest checkpoint stands, save it and try it out.

    Raises:
        LoraDeckError: The task cannot be trained; whatever else is raised is a fault of ours.
    """
    began = time.monotonic()
    plan, checkpoint = spec.plan, newest(spec.checkpoints)
    reporter.report(
        TaskStarted(
            pid=os.getpid(),
            device=plan.device.name,
            resumed_from=step_of(checkpoint) if checkpoint else 0,
        )
    )
    set_seed(plan.training_params.seed)
    torch.set_num_threads(max(1, plan.device.cores))
    folder = Path(plan.model.path or "")

    reporter.report(PhaseEntered(phase="preparing"))
    try:
        prepared = prepare(spec, folder, reporter)
    except EncodingStoppedError:
        reporter.report(TaskStopped(step=step_of(checkpoint) if checkpoint else 0))
        return
    reporter.report(prepared.summary)

    reporter.report(PhaseEntered(phase="loading"))
    tokenizer = load_tokenizer(prepared, folder)
    trainer = build_trainer(spec, prepared, load_base(plan, folder), tokenizer, reporter)

    reporter.report(PhaseEntered(phase="training"))
    if checkpoint and step_of(checkpoint) >= plan.total_steps:
        _restore(trainer, checkpoint)
    elif not reporter.stop_requested:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if reporter.stop_requested:
        reporter.report(TaskStopped(step=trainer.state.global_step))
        return

    reporter.report(PhaseEntered(phase="answering"))
    comparison = compare_answers(trainer.model, tokenizer, prepared.sample)
    reporter.report(comparison)

    reporter.report(PhaseEntered(phase="saving"))
    loss = _last_epoch_loss(trainer.state.log_history)
    reporter.report(save_adapter(spec, trainer.model, tokenizer, comparison, loss))
    shutil.rmtree(spec.prepared, ignore_errors=True)
    reporter.report(
        TaskCompleted(seconds=time.monotonic() - began, train_loss=loss, peak_memory=_peak_memory())
    )


def _restore(trainer: SFTTrainer, checkpoint: Path) -> None:
    """Take a run that had ended as it was: resumed, the trainer would train a step too many."""
    trainer._load_from_checkpoint(str(checkpoint))
    trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))


def _last_epoch_loss(history: list[dict[str, float]]) -> float:
    """Average the losses of the last epoch; the mean over all steps would flatter nobody."""
    steps = [entry for entry in history if "loss" in entry]
    last = steps[-1]["epoch"]
    losses = [entry["loss"] for entry in steps if entry["epoch"] > last - 1]
    return sum(losses) / len(losses)


def _peak_memory() -> int:
    """Read the peak in bytes: of the GPU's allocator, else of this process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
