"""A training, whole: one function of a task's specification and a reporter."""

from __future__ import annotations

import gc
import os
import shutil
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from transformers import set_seed

from engine.errors import LoraDeckError
from engine.files import is_disk_full
from engine.language import tr
from engine.machine import boot_id
from engine.results.answering import end_at
from engine.results.report.make import Trained
from engine.tasks.events import (
    PhaseEntered,
    RolledBack,
    TaskCompleted,
    TaskStarted,
    TaskStopped,
)
from engine.train.adapter import publish_adapter, refuse_foreign, write_adapter
from engine.train.adjustments import Adjustments
from engine.train.checkpoints import clear_aside, newest, step_of
from engine.train.deck_trainer import DeckTrainer, DivergedError
from engine.train.ending import has_ended, report_end, restore
from engine.train.judging import judge
from engine.train.prepare import prepare
from engine.train.probe import peak_memory, probe
from engine.train.setup import build_trainer, load_base, load_tokenizer
from engine.train.spec import StoppedError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from engine.train.prepare import Prepared
    from engine.train.spec import Reporter, TaskSpec


def train(spec: TaskSpec, reporter: Reporter) -> None:
    """Train an adapter from where the newest checkpoint stands, save it and try it out.

    Raises:
        LoraDeckError: The task cannot be trained; whatever else is raised is a fault of ours.
    """
    reporter.report(
        TaskStarted(
            pid=os.getpid(),
            device=spec.plan.device.name,
            resumed_from=_resume_step(spec),
            boot=boot_id(),
        )
    )
    disk_full = False
    try:
        _train(spec, reporter)
    except StoppedError as stopped:
        disk_full = stopped.disk_full
    except Exception as error:
        if not is_disk_full(error):
            raise
        traceback.print_exc()
        disk_full = True
    else:
        return
    # What was being saved is of no use, and the stop itself is to be journalled
    shutil.rmtree(spec.partial, ignore_errors=True)
    if disk_full:
        clear_aside(spec.checkpoints)
    # Also what a traceback holds is let go by now: reading the checkpoint takes memory
    reporter.report(TaskStopped(step=_resume_step(spec), disk_full=disk_full))


def _train(spec: TaskSpec, reporter: Reporter) -> None:
    """Go through a training's phases.

    Raises:
        StoppedError: It is to be gone on with later.
    """
    began = time.monotonic()
    refuse_foreign(spec, tr("Move it away, or start a new task under another name."))
    torch.set_num_threads(max(1, spec.plan.device.cores))
    folder = Path(spec.plan.model.path or "")

    reporter.report(PhaseEntered(phase="preparing"))
    prepared = prepare(spec, folder, reporter)
    reporter.report(prepared.summary)

    tokenizer = load_tokenizer(prepared, folder)
    trainer = _fit(spec, prepared, tokenizer, reporter)

    reporter.report(PhaseEntered(phase="saving"))
    write_adapter(spec, trainer.model, tokenizer)

    reporter.report(PhaseEntered(phase="answering"))
    loss = _last_epoch_loss(trainer.state.log_history)
    trained = Trained(spec, prepared, trainer, tokenizer, time.monotonic() - began, loss)
    reporter.report(publish_adapter(spec, judge(trained, reporter)))
    reporter.report(
        TaskCompleted(seconds=time.monotonic() - began, train_loss=loss, peak_memory=peak_memory())
    )


def _resume_step(spec: TaskSpec) -> int:
    """Give the step of the newest checkpoint; 0 where there is none."""
    checkpoint = newest(spec.checkpoints)
    return step_of(checkpoint) if checkpoint else 0


def _fit(
    spec: TaskSpec, prepared: Prepared, tokenizer: PreTrainedTokenizerBase, reporter: Reporter
) -> DeckTrainer:
    """Train; where the loss is lost, once more from the last checkpoint with safer settings.

    Raises:
        LoraDeckError: It is lost again; names the row that does it.
        StoppedError: It is to be gone on with later.
    """
    while True:
        # Read again: what a lack of memory changed stays changed after a roll-back
        adjustments = Adjustments.load(spec.folder)
        try:
            return _run(spec, prepared, tokenizer, reporter, adjustments)
        except DivergedError as error:
            # A copy: the error's traceback holds the model
            diverged = DivergedError(error.step, error.row)
        if adjustments.rolled_back:
            raise _lost(diverged, adjustments.apply(spec.plan.training_params).learning_rate)
        adjustments = Adjustments.load(spec.folder).model_copy(update={"rolled_back": True})
        adjustments.save(spec.folder)
        gc.collect()  # the model and its activations, before another one is loaded
        reporter.report(
            RolledBack(
                step=diverged.step,
                to_step=_resume_step(spec),
                row=diverged.row,
                learning_rate=adjustments.apply(spec.plan.training_params).learning_rate,
            )
        )


def _run(
    spec: TaskSpec,
    prepared: Prepared,
    tokenizer: PreTrainedTokenizerBase,
    reporter: Reporter,
    adjustments: Adjustments,
) -> DeckTrainer:
    """Load the model, train it from the newest checkpoint on, and keep the best."""
    plan, checkpoint = spec.plan, newest(spec.checkpoints)
    set_seed(plan.training_params.seed)
    reporter.report(PhaseEntered(phase="loading"))
    trainer = build_trainer(
        spec,
        prepared,
        load_base(plan, Path(plan.model.path or "")),
        tokenizer,
        reporter,
        adjustments,
    )
    if prepared.prompts:
        end_at(trainer.model, prepared.prompts[0].end_id)
    if spec.start and not checkpoint:
        trainer.start_from(spec.start)
    if checkpoint and (spec.finish or has_ended(checkpoint)):
        restore(trainer, checkpoint)
    elif not reporter.stop_requested:
        reporter.report(probe(trainer, plan, prepared.lengths.tolist()))
        reporter.report(PhaseEntered(phase="training"))
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if reporter.stop_requested or trainer.out_of_room:
        raise StoppedError(disk_full=trainer.out_of_room)
    report_end(trainer.state, reporter, asked=spec.finish or reporter.finish_requested)
    return trainer


def _lost(diverged: DivergedError, rate: float) -> LoraDeckError:
    """Put a loss that is lost for good into words."""
    if diverged.row:
        return LoraDeckError(
            tr("Training diverged"),
            tr(
                "At step {step} the loss or its gradient is no number any more, again: row {row} "
                "of the dataset does it.",
                step=diverged.step,
                row=diverged.row,
            ),
            tr("Look at that row, mend or delete it, and start again."),
        )
    return LoraDeckError(
        tr("Training diverged"),
        tr(
            "At step {step} the loss or its gradient is no number any more, again, at a third of "
            "the rate too; no single row does it.",
            step=diverged.step,
        ),
        tr(
            "Start again with a lower learning rate: --set learning_rate={rate:.0e}", rate=rate / 10
        ),
    )


def _last_epoch_loss(history: list[dict[str, float]]) -> float:
    """Average the losses of the last epoch; the mean over all steps would flatter nobody."""
    steps = [entry for entry in history if "loss" in entry]
    last = steps[-1]["epoch"]
    losses = [entry["loss"] for entry in steps if entry["epoch"] > last - 1]
    return sum(losses) / len(losses)
