"""TRL's trainer, with checkpoints that are complete or invisible, and what is resumed from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from transformers.trainer_callback import EarlyStoppingCallback
from trl import SFTTrainer

from engine.errors import LoraDeckError
from engine.language import tr
from engine.train.checkpoints import is_complete, named, prune, written_aside

if TYPE_CHECKING:
    from collections.abc import Callable


class ResumableTrainer(SFTTrainer):  # type: ignore[misc]
    """Saves and takes up runs.

    Args:
        checkpoints_kept: How many of the newest checkpoints stay beside the best one.
        on_saving: Told before a checkpoint is written; makes durable what was reported until then.
    """

    lr_scheduler: Any

    def __init__(
        self, *, checkpoints_kept: int, on_saving: Callable[[], None], **rest: Any
    ) -> None:
        super().__init__(**rest)
        self._checkpoints_kept, self._on_saving = checkpoints_kept, on_saving

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write a checkpoint aside, then give it its name; keep the newest ones and the best."""
        folder, step = Path(str(self.args.output_dir)), self.state.global_step
        # A checkpoint that outlives a power cut must not go before the steps that led to it
        self._on_saving()
        with written_aside(folder, step) as aside:
            self.args.output_dir = str(aside)
            try:
                super()._save_checkpoint(model, trial)
            finally:
                self.args.output_dir = str(folder)
            # The trainer looks for the best one where it has just written
            best = self.state.best_global_step
            self.state.best_model_checkpoint = str(named(folder, best)) if best else None
            self.state.save_to_json(str(named(aside, step) / "trainer_state.json"))
        prune(folder, self._checkpoints_kept, step, best)

    def _init_training_state(self, *given: Any) -> tuple[int, int]:
        """Take a run up where its checkpoint left it, without a best one that is lost."""
        found: tuple[int, int] = super()._init_training_state(*given)
        self.recall_best()
        self._recall_patience()
        return found

    def _recall_patience(self) -> None:
        """Go on counting the evaluations without a better loss.

        The trainer's own way brings its control flags back too, and with them a stop asked for.
        """
        kept = self.state.stateful_callbacks.get(EarlyStoppingCallback.__name__)
        for callback in self.callback_handler.callbacks:
            if kept and isinstance(callback, EarlyStoppingCallback):
                name = "early_stopping_patience_counter"
                setattr(callback, name, kept["attributes"][name])

    def start_from(self, adapter: Path) -> None:
        """Begin with the weights of a finished adapter of the same rank.

        Raises:
            LoraDeckError: They are of another shape, as the base is another one, or unreadable.
        """
        try:
            self._load_from_checkpoint(str(adapter))
        except (OSError, ValueError, SafetensorError) as error:
            raise LoraDeckError(
                tr("Adapter not readable"),
                tr(
                    "The adapter that is trained further is missing or damaged: {path}",
                    path=adapter,
                ),
                tr("Start a new task from the adapter."),
            ) from error
        except RuntimeError as error:
            if "size mismatch" not in str(error):
                raise
            raise LoraDeckError(
                tr("Adapter of another model"),
                tr(
                    "The weights of the adapter that is trained further do not fit this base model."
                ),
                tr("Choose the base model that it was trained on."),
            ) from error

    def recall_best(self) -> None:
        """Look for the best checkpoint in the folder as it is named now; forget one that is lost.

        The next evaluation is the best again then, as it was when that checkpoint was written.
        """
        best = self.state.best_global_step
        place = named(Path(str(self.args.output_dir)), best or 0)
        if best and is_complete(place):
            self.state.best_model_checkpoint = str(place)
        else:
            self.state.best_model_checkpoint = None
            self.state.best_metric = self.state.best_global_step = None

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """Resume, but at the rate that this run was given: it may have been lowered since."""
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is None:
            return
        rate, scheduler = self.args.learning_rate, self.lr_scheduler
        scheduler.base_lrs = [rate for _ in scheduler.base_lrs]
        for group, share in zip(self.optimizer.param_groups, scheduler.lr_lambdas, strict=True):
            group["initial_lr"], group["lr"] = rate, rate * share(scheduler.last_epoch)
        scheduler._last_lr = [group["lr"] for group in self.optimizer.param_groups]
