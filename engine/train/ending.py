"""Where a training ends: at its last step, early, or where it had ended before it was resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transformers import TrainerState

from engine.tasks.events import BestKept, StoppedEarly

if TYPE_CHECKING:
    from pathlib import Path

    from engine.train.deck_trainer import DeckTrainer
    from engine.train.spec import Reporter


def has_ended(checkpoint: Path) -> bool:
    """Tell whether a run had ended at a checkpoint: after its last step, or early."""
    state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    if state.global_step >= state.max_steps:
        return True
    stopping = state.stateful_callbacks.get("EarlyStoppingCallback")
    if not isinstance(stopping, dict):
        return False
    waited = stopping["attributes"]["early_stopping_patience_counter"]
    return bool(waited >= stopping["args"]["early_stopping_patience"])


def restore(trainer: DeckTrainer, checkpoint: Path) -> None:
    """Take a run that had ended as it was: resumed, the trainer would train a step too many."""
    trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    trainer.recall_best()
    best = trainer.state.best_model_checkpoint
    trainer._load_from_checkpoint(best or str(checkpoint))


def report_end(state: TrainerState, reporter: Reporter, *, asked: bool) -> None:
    """Say where the training ended and who wanted it, and which checkpoint is the result."""
    if state.global_step < state.max_steps:
        reporter.report(StoppedEarly(step=state.global_step, asked=asked))
    if state.best_global_step and state.best_metric is not None:
        reporter.report(BestKept(step=state.best_global_step, eval_loss=state.best_metric))
