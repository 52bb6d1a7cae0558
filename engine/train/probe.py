"""Runs the longest real batch once before the first step, and measures what it takes."""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import torch

from engine.plan.memory import CUDA_CONTEXT, CUDA_SLACK, optimizer_bytes
from engine.plan.processor import processor
from engine.tasks.events import MemoryProbed
from engine.train.micro_batches import longest
from engine.train.rows import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.plan.types import Plan
    from engine.train.deck_trainer import DeckTrainer


def probe(trainer: DeckTrainer, plan: Plan, lengths: Sequence[int]) -> MemoryProbed:
    """Run the most demanding batch that the rows can make, forward and backward.

    Where memory runs out, or would with the optimizer's state that is yet to come, the trainer's
    passes are smaller afterwards.

    Args:
        lengths: Tokens of each training row.
    """
    while True:
        setting = _setting(trainer)
        found = _probe(trainer, plan, lengths)
        if _setting(trainer) != setting:
            continue  # it ran, but smaller than what was to be measured
        # A machine without swap would end the process rather than refuse an allocation
        if found.measured <= found.free:
            return found
        trainer.shrink()


def _setting(trainer: DeckTrainer) -> tuple[int, bool]:
    """Give what a lack of memory changes."""
    return trainer.passes.budget, trainer.args.gradient_checkpointing


def _probe(trainer: DeckTrainer, plan: Plan, lengths: Sequence[int]) -> MemoryProbed:
    """Run and measure once."""
    passes, before = trainer.passes, _present()
    free = _free() + before
    chosen = longest(lengths, passes.budget, trainer.args.train_batch_size, packed=passes.packed)
    rows = [Row.of(trainer.train_dataset[index]) for index in chosen]
    state = _optimizer_bytes(trainer, plan)
    _forget_peak()
    trainer.model.train()
    # The optimizer makes its state in the first step: its room must be there then
    room = torch.empty(state, dtype=torch.uint8, device=trainer.model.device)
    with torch.random.fork_rng():
        trainer.gradients(rows)
    # On a CPU, what was never written to is not resident
    measured = peak_memory() + (0 if torch.cuda.is_available() else state)
    del room
    trainer.model.zero_grad()
    return MemoryProbed(
        tokens=sum(len(row.input_ids) for row in rows),
        trained=sum(row.trained for row in rows),
        gradient_checkpointing=trainer.args.gradient_checkpointing,
        predicted=plan.memory.total,
        measured=measured,
        fixed=before,
        free=free,
    )


def _optimizer_bytes(trainer: DeckTrainer, plan: Plan) -> int:
    """Count the optimizer's state for the adapter as it is."""
    trained = (one.numel() for one in trainer.model.parameters() if one.requires_grad)
    return optimizer_bytes(plan.training_params, sum(trained))


def peak_memory() -> int:
    """Read the peak in bytes: of the GPU's allocator, else of this process."""
    if torch.cuda.is_available():
        return _with_driver(torch.cuda.max_memory_allocated())
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _present() -> int:
    """Read the memory in use now, in bytes."""
    if torch.cuda.is_available():
        return _with_driver(torch.cuda.memory_allocated())
    return int(psutil.Process().memory_info().rss)


def _with_driver(allocated: int) -> int:
    """Add what the driver and the caching allocator take beside what is allocated."""
    return CUDA_CONTEXT + int((1 + CUDA_SLACK) * allocated)


def _free() -> int:
    """Read the memory that is free beside what this process holds, in bytes."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    return processor().memory_free


def _forget_peak() -> None:
    """Let the peak be counted from here on: that of the loading is another matter."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        return
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
