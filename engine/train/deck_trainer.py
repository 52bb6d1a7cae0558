"""TRL's trainer, with steps that share their rows out among passes, shrink and roll back."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch.optim.lr_scheduler import LambdaLR

from engine.train.lora_linear import fuse_adapters
from engine.train.memory_limit import is_out_of_memory
from engine.train.passes import Passes
from engine.train.rate import rate_share
from engine.train.resumable import ResumableTrainer
from engine.train.rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from peft import PeftModel
    from torch import Tensor
    from transformers import TrainerControl

Result = TypeVar("Result")
_EVALUATED_AT_ONCE = 256
"""Rows that an evaluation holds in memory, sorted among passes by their lengths."""


class DivergedError(Exception):
    """A loss or a gradient is no number any more.

    Args:
        step: Optimizer steps that were done.
        row: The dataset's row that does it, counted from 1; 0 where no single one does.
    """

    def __init__(self, step: int, row: int) -> None:
        super().__init__(f"diverged at step {step}, row {row}")
        self.step, self.row = step, row


class DeckTrainer(ResumableTrainer):
    """One batch of the data loader is a whole optimizer step; passes are made here.

    Args:
        pass_tokens: Tokens in one forward pass, at most.
        packed: Whether the model keeps rows apart that lie end to end.
        longest_row: Tokens of the longest row.
        on_shrunk: Told when a step did not fit, before it is made again; raises where nothing
            smaller is left.
    """

    control: TrainerControl

    def __init__(
        self,
        *,
        pass_tokens: int,
        packed: bool,
        longest_row: int,
        on_shrunk: Callable[[DeckTrainer], None],
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        if self.model.get_base_model().dtype is not torch.bfloat16:
            # TRL casts adapters on a 4-bit base to bfloat16, which a loss scaler cannot unscale
            for parameter in self.model.parameters():
                if parameter.requires_grad:
                    parameter.data = parameter.data.float()
        fuse_adapters(self.model)
        if self.args.gradient_checkpointing:
            # The trainer would do so at its start, and the probe comes before
            self.save_activations()
        self.passes = Passes(self.model, pass_tokens, packed=packed)
        self.longest_row = longest_row
        self.tokens_seen = 0
        self.out_of_room = False
        """Whether the run stopped because the disk is full."""
        self._on_shrunk = on_shrunk
        self._step: tuple[Row, ...] = ()

    def training_step(self, model: Any, inputs: dict[str, Any], _count: Any = None) -> Tensor:
        """Add one step's gradients; where memory runs out, again in smaller passes.

        Raises:
            DivergedError: The loss is no number.
        """
        self._step = rows = inputs["step"].rows
        model.train()
        loss = self.gradients(rows)
        self.tokens_seen += sum(len(row.input_ids) for row in rows)
        if not math.isfinite(float(loss)):
            raise self._diverged(self._step)
        return loss

    def gradients(self, rows: Sequence[Row]) -> Tensor:
        """Add the gradients of rows, in passes as small as memory asks for; give their loss."""
        return self._within_memory(lambda: self.passes.backward(rows, self.accelerator.backward))

    def _within_memory(self, compute: Callable[[], Result]) -> Result:
        """Compute; where memory runs out, again from the start in smaller passes."""
        while True:
            chance = torch.random.get_rng_state()
            try:
                return compute()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            # Out of the handler: until it ends, the traceback holds what the pass had allocated
            self.model.zero_grad()
            torch.random.set_rng_state(chance)
            self.shrink()

    def shrink(self) -> None:
        """Make passes smaller from now on.

        Raises:
            LoraDeckError: Nothing smaller is left to try.
        """
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self._on_shrunk(self)

    def save_activations(self) -> None:
        """Compute activations twice from now on: far less memory, a third slower."""
        self.args.gradient_checkpointing = True
        self.model.gradient_checkpointing_enable()
        self.model.enable_input_require_grads()

    def score(self, rows: Sequence[Row], before_each: Callable[[], None]) -> tuple[float, float]:
        """Give the mean loss over rows' trained tokens, and the share of them found likeliest.

        Args:
            before_each: Called before each pass; may raise.
        """
        self.model.eval()
        return self._within_memory(lambda: self.passes.score(rows, before_each))

    @contextmanager
    def generating(self) -> Iterator[PeftModel]:
        """Give the model as it generates; afterwards it goes on as if nothing had been asked.

        It has its own attention, which knows a cache, and its evaluation mode meanwhile.
        """
        base, training = self.model.get_base_model(), self.model.training
        attention = base.config._attn_implementation
        if self.passes.packed:
            base.set_attn_implementation("sdpa")
        self.model.eval()
        try:
            with torch.random.fork_rng():
                yield self.model
        finally:
            if self.passes.packed:
                base.set_attn_implementation(attention)
            self.model.train(training)

    def _clip_grad_norm(self, model: Any) -> Tensor:
        """Clip as ever; a norm that is no number ends the run before a weight is touched."""
        norm: Tensor = super()._clip_grad_norm(model)
        # With a loss scaler, infinite gradients are its way to find the scale: it skips the step
        if self.accelerator.scaler is None and not math.isfinite(float(norm)):
            raise self._diverged(self._step)
        return norm

    def _held_out(self) -> Iterator[Row]:
        """Give the rows that are evaluated."""
        return (Row.of(record) for record in self.eval_dataset)

    def _diverged(self, rows: Iterable[Row]) -> DivergedError:
        """Find the row whose loss or gradient is no number by itself."""
        guilty = next((row.number for row in rows if not self._is_finite(row)), 0)
        return DivergedError(self.state.global_step, guilty)

    def _is_finite(self, row: Row) -> bool:
        """Tell whether one row's loss and gradients are numbers."""
        self.model.zero_grad()
        loss = self._within_memory(lambda: self.passes.backward([row], torch.Tensor.backward))
        gradients = (one.grad for one in self.model.parameters() if one.grad is not None)
        return bool(torch.isfinite(loss)) and all(bool(one.isfinite().all()) for one in gradients)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Measure the mean loss over the held-out rows' trained tokens.

        Raises:
            DivergedError: It is no number.
        """
        began = time.monotonic()
        self.model.eval()
        loss, tokens = self._within_memory(
            lambda: self.passes.evaluate(self._held_out(), _EVALUATED_AT_ONCE)
        )
        if not math.isfinite(loss):
            raise self._diverged(self._held_out())
        metrics = {
            "eval_loss": loss,
            "eval_tokens": tokens,
            "eval_seconds": time.monotonic() - began,
        }
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Let the rate follow the plan's curve, in which no step is idle."""
        if self.lr_scheduler is None:
            warmup, curve = int(self.args.warmup_steps), str(self.args.lr_scheduler_type.value)
            self.lr_scheduler = LambdaLR(
                optimizer or self.optimizer,
                lambda step: rate_share(step, num_training_steps, warmup, curve),
            )
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def floating_point_ops(self, inputs: Any) -> int:  # noqa: ARG002 - the trainer's signature
        """Count none: the estimate needs padded batches, and nobody reads it."""
        return 0
