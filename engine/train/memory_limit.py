"""When memory runs out: how that shows, and what is tried next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from engine.errors import LoraDeckError
from engine.language import tr
from engine.tasks.events import MicroBatchHalved

if TYPE_CHECKING:
    from engine.train.adjustments import Adjustments
    from engine.train.deck_trainer import DeckTrainer
    from engine.train.spec import Reporter, TaskSpec

_WORDS = ("can't allocate memory", "not enough memory", "out of memory")


def is_out_of_memory(error: Exception) -> bool:
    """Tell a lack of memory, of a GPU or of the machine, from other faults."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return any(words in str(error).lower() for words in _WORDS)


class Shrinker:
    """Halves the passes of a run; below one row, computes activations twice; then gives up."""

    def __init__(self, spec: TaskSpec, reporter: Reporter, adjustments: Adjustments) -> None:
        self._folder, self._reporter = spec.folder, reporter
        self.adjustments = adjustments

    def __call__(self, trainer: DeckTrainer) -> None:
        """Make the next attempt smaller, and remember that for when the run is resumed.

        Raises:
            LoraDeckError: Nothing smaller is left to try.
        """
        longest = trainer.longest_row
        if trainer.passes.budget > longest:
            trainer.passes.budget = max(longest, trainer.passes.budget // 2)
            # Kept without the halvings for kills: these come on top when it is read
            self._keep(pass_tokens=trainer.passes.budget << self.adjustments.killed)
        elif not trainer.args.gradient_checkpointing:
            trainer.save_activations()
            self._keep(gradient_checkpointing=True)
        else:
            raise LoraDeckError(
                tr("Out of memory"),
                tr(
                    "One row of {tokens:,} tokens does not fit any more, even by itself.",
                    tokens=longest,
                ),
                tr("Set a smaller max_seq_length, use_4bit=true, or choose a smaller model."),
            )
        self._reporter.report(
            MicroBatchHalved(step=trainer.state.global_step, tokens=trainer.passes.budget)
        )

    def _keep(self, **changes: object) -> None:
        """Note a change in the task's folder."""
        self.adjustments = self.adjustments.model_copy(update=changes)
        self.adjustments.save(self._folder)
