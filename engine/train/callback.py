"""Turns what the trainer does into events, and requests to stop into its control flags."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from engine.files import size_of
from engine.plan.pacing import evaluation_count
from engine.plan.schedule import steps_per_epoch
from engine.tasks.events import CheckpointSaved, Evaluated, StepLogged
from engine.train.checkpoints import named

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from engine.train.deck_trainer import DeckTrainer
    from engine.train.prepare import Prepared
    from engine.train.room import Room
    from engine.train.spec import Reporter


class ReportingCallback(TrainerCallback):  # type: ignore[misc]
    """Reports every optimizer step, evaluation and checkpoint."""

    def __init__(
        self, reporter: Reporter, trainer: DeckTrainer, prepared: Prepared, room: Room
    ) -> None:
        self._reporter, self._trainer, self._prepared = reporter, trainer, prepared
        self._room = room
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
        last = state.global_step >= state.max_steps or self._reporter.finish_requested
        if last and self._prepared.evaluation is not None:
            control.should_evaluate = True
        if self._reporter.stop_requested or self._reporter.finish_requested:
            control.should_save = control.should_training_stop = True
        elif self._room.is_short:
            self._trainer.out_of_room = control.should_training_stop = True
            control.should_save = self._room.holds_checkpoint

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
            self._reporter.report(
                Evaluated(
                    step=state.global_step,
                    eval_loss=logs["eval_loss"],
                    tokens=int(logs["eval_tokens"]),
                    seconds=logs["eval_seconds"],
                )
            )

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Report a checkpoint, which is in its place by now."""
        checkpoint = named(Path(str(args.output_dir)), state.global_step)
        self._room.checkpoint = size_of(checkpoint)
        self._reporter.report(CheckpointSaved(step=state.global_step, path=str(checkpoint)))

    def _report_step(self, state: TrainerState, logs: dict[str, float]) -> None:
        """Report one optimizer step."""
        tokens = self._trainer.tokens_seen
        self._reporter.report(
            StepLogged(
                step=state.global_step,
                max_steps=state.max_steps,
                epoch=float(state.epoch or 0.0),
                loss=logs["loss"],
                learning_rate=logs["learning_rate"],
                grad_norm=norm if math.isfinite(norm := logs["grad_norm"]) else None,
                tokens=tokens - self._tokens_before,
                seconds=self._step_seconds,
                tokens_left=self._tokens_left(state),
                eval_tokens_left=self._eval_tokens_left(state),
            )
        )
        self._tokens_before = tokens

    def _tokens_left(self, state: TrainerState) -> int:
        """Expect a step's mean tokens in each step that is to come."""
        lengths = self._prepared.lengths
        per_step = float(lengths.sum()) / steps_per_epoch(len(lengths), state.train_batch_size, 1)
        return int(per_step * (state.max_steps - state.global_step))

    def _eval_tokens_left(self, state: TrainerState) -> int:
        """Count the tokens of the evaluations to come: one at every checkpoint and at the end."""
        if self._prepared.evaluation is None:
            return 0
        every = int(self._trainer.args.eval_steps)
        # That of this very step is still to come
        done, all_of_them = (
            (state.global_step - 1) // every,
            evaluation_count(state.max_steps, every),
        )
        return int(self._prepared.eval_tokens * (all_of_them - done))
