"""Turns what the trainer does into events, and requests to stop into its control flags."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from engine.errors import LoraDeckError
from engine.tasks.events import CheckpointSaved, Evaluated, StepLogged
from engine.train.checkpoints import seal

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from engine.train.spec import Reporter


class ReportingCallback(TrainerCallback):  # type: ignore[misc]
    """Reports every optimizer step, evaluation and checkpoint."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._step_began = time.monotonic()
        self._step_seconds = 0.0
        self._tokens_before = 0

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the clock of a step."""
        self._step_began = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stop the clock, and the training where that was asked for."""
        self._step_seconds = time.monotonic() - self._step_began
        if self._reporter.stop_requested:
            control.should_save = control.should_training_stop = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Report a step or an evaluation."""
        logs = logs or {}
        if "loss" in logs:
            self._report_step(state, logs)
        elif "eval_loss" in logs:
            loss = float(logs["eval_loss"])
            _refuse_diverged(state.global_step, loss)
            self._reporter.report(Evaluated(step=state.global_step, eval_loss=loss))

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Declare a checkpoint complete."""
        checkpoint = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        seal(checkpoint)
        self._reporter.report(CheckpointSaved(step=state.global_step, path=str(checkpoint)))

    def _report_step(self, state: TrainerState, logs: dict[str, float]) -> None:
        """Report one optimizer step."""
        loss, norm = float(logs["loss"]), float(logs.get("grad_norm", 0.0))
        _refuse_diverged(state.global_step, loss, norm)
        tokens = int(logs.get("num_tokens", 0))
        self._reporter.report(
            StepLogged(
                step=state.global_step,
                max_steps=state.max_steps,
                epoch=float(state.epoch or 0.0),
                loss=loss,
                learning_rate=float(logs.get("learning_rate", 0.0)),
                grad_norm=norm,
                tokens=tokens - self._tokens_before,
                seconds=self._step_seconds,
            )
        )
        self._tokens_before = tokens


def _refuse_diverged(step: int, *values: float) -> None:
    """End a run whose loss or gradient is no number any more, with words."""
    if not all(map(math.isfinite, values)):
        raise LoraDeckError(
            "Training diverged",
            f"At step {step} the loss or its gradient is no number any more.",
            "Start again with a lower learning rate: --set learning_rate=5e-5",
        )
