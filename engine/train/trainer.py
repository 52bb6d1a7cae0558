"""A training, whole: one function of a task's specification and a reporter."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from transformers import TrainerState, set_seed

from engine.errors import LoraDeckError
from engine.results.compare import compare_answers
from engine.results.stop_test import end_at, stop_test
from engine.tasks.events import (
    BestKept,
    PhaseEntered,
    RolledBack,
    StoppedEarly,
    TaskCompleted,
    TaskStarted,
    TaskStopped,
)
from engine.train.adapter import save_adapter
from engine.train.adjustments import Adjustments
from engine.train.checkpoints import newest, step_of
from engine.train.deck_trainer import DeckTrainer, DivergedError
from engine.train.encoding import EncodingStoppedError
from engine.train.prepare import prepare
from engine.train.probe import peak_memory, probe
from engine.train.setup import build_trainer, load_base, load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from engine.train.prepare import Prepared
    from engine.train.spec import Reporter, TaskSpec


def train(spec: TaskSpec, reporter: Reporter) -> None:
    """Train an adapter from where the newest checkpoint stands, save it and try it out.

    Raises:
        LoraDeckError: The task cannot be trained; whatever else is raised is a fault of ours.
    """
    began = time.monotonic()
    plan, resumed_from = spec.plan, _resume_step(spec)
    reporter.report(
        TaskStarted(pid=os.getpid(), device=plan.device.name, resumed_from=resumed_from)
    )
    torch.set_num_threads(max(1, plan.device.cores))
    folder = Path(plan.model.path or "")

    reporter.report(PhaseEntered(phase="preparing"))
    try:
        prepared = prepare(spec, folder, reporter)
    except EncodingStoppedError:
        reporter.report(TaskStopped(step=resumed_from))
        return
    reporter.report(prepared.summary)

    tokenizer = load_tokenizer(prepared, folder)
    trainer = _fit(spec, prepared, tokenizer, reporter)
    if reporter.stop_requested:
        reporter.report(TaskStopped(step=max(trainer.state.global_step, _resume_step(spec))))
        return

    reporter.report(PhaseEntered(phase="answering"))
    trainer.leave_packing()
    end_at(trainer.model, prepared.sample.end_id)
    comparison = compare_answers(trainer.model, tokenizer, prepared.sample)
    reporter.report(comparison)
    tested = stop_test(trainer.model, tokenizer, prepared.evaluation or prepared.train)
    if tested:
        reporter.report(tested)

    reporter.report(PhaseEntered(phase="saving"))
    loss = _last_epoch_loss(trainer.state.log_history)
    reporter.report(save_adapter(spec, trainer.model, tokenizer, comparison, tested, loss))
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
    if checkpoint and _has_ended(checkpoint):
        _restore(trainer, checkpoint)
    elif not reporter.stop_requested:
        reporter.report(probe(trainer, plan, prepared.lengths.tolist()))
        reporter.report(PhaseEntered(phase="training"))
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if not reporter.stop_requested:
        _report_end(trainer.state, reporter)
    return trainer


def _has_ended(checkpoint: Path) -> bool:
    """Tell whether a run had ended at a checkpoint: after its last step, or early."""
    state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    if state.global_step >= state.max_steps:
        return True
    stopping = state.stateful_callbacks.get("EarlyStoppingCallback")
    if not isinstance(stopping, dict):
        return False
    waited = stopping["attributes"]["early_stopping_patience_counter"]
    return bool(waited >= stopping["args"]["early_stopping_patience"])


def _restore(trainer: DeckTrainer, checkpoint: Path) -> None:
    """Take a run that had ended as it was: resumed, the trainer would train a step too many."""
    trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    best = trainer.state.best_model_checkpoint
    trainer._load_from_checkpoint(best or str(checkpoint))


def _report_end(state: TrainerState, reporter: Reporter) -> None:
    """Say where the training ended, and which checkpoint is the result."""
    if state.global_step < state.max_steps:
        reporter.report(StoppedEarly(step=state.global_step))
    if state.best_global_step and state.best_metric is not None:
        reporter.report(BestKept(step=state.best_global_step, eval_loss=state.best_metric))


def _lost(diverged: DivergedError, rate: float) -> LoraDeckError:
    """Put a loss that is lost for good into words."""
    words = f"At step {diverged.step} the loss or its gradient is no number any more, again"
    if diverged.row:
        return LoraDeckError(
            "Training diverged",
            f"{words}: row {diverged.row} of the dataset does it.",
            "Look at that row, mend or delete it, and start again.",
        )
    return LoraDeckError(
        "Training diverged",
        f"{words}, at a third of the rate too; no single row does it.",
        f"Start again with a lower learning rate: --set learning_rate={rate / 10:.0e}",
    )


def _last_epoch_loss(history: list[dict[str, float]]) -> float:
    """Average the losses of the last epoch; the mean over all steps would flatter nobody."""
    steps = [entry for entry in history if "loss" in entry]
    last = steps[-1]["epoch"]
    losses = [entry["loss"] for entry in steps if entry["epoch"] > last - 1]
    return sum(losses) / len(losses)
