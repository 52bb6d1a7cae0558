"""Overrides that contradict each other, the model, the data or the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.models.types import ModelShape
    from engine.plan.types import Device


def refuse_impossible_split(rows: int, eval_rows: int) -> None:
    """Refuse a split that leaves nothing to train on.

    Raises:
        LoraDeckError: No row is left.
    """
    if rows < 1:
        raise LoraDeckError(
            "Nothing to train on", "The dataset has no rows.", "Choose another dataset."
        )
    if eval_rows >= rows:
        raise LoraDeckError(
            "Dataset too small to split",
            f"eval_rows={eval_rows} of {rows} rows leaves none to train on.",
            f"Hold out fewer: eval_rows below {rows}, or 0 for none.",
        )


def check_against_device(overrides: Mapping[str, Any], device: Device) -> None:
    """Refuse what the device cannot do.

    Raises:
        LoraDeckError: An 8-bit optimizer without CUDA, 4-bit on an Apple GPU, fp16 on a CPU.
    """
    optim = overrides.get("optim")
    if optim in ("adamw_8bit", "paged_adamw_8bit") and device.kind != "cuda":
        raise LoraDeckError(
            "Optimizer needs a GPU",
            f"optim={optim} runs on NVIDIA GPUs only; this run computes on {device.name}.",
            "Leave optim out, or set optim=adamw_torch",
        )
    if overrides.get("use_4bit") and device.kind == "mps":
        raise LoraDeckError(
            "No 4-bit on this device",
            f"use_4bit=true needs an NVIDIA GPU or a CPU; this run computes on {device.name}.",
            "Leave use_4bit out.",
        )
    if overrides.get("dtype") == "float16" and device.kind == "cpu":
        raise LoraDeckError(
            "Number format needs a GPU",
            "dtype=float16 cannot be trained in on a CPU: its gradients underflow.",
            "Leave dtype out, or set dtype=float32",
        )


def check_against_model(overrides: Mapping[str, Any], shape: ModelShape) -> None:
    """Refuse what the model cannot do.

    Raises:
        LoraDeckError: Rows longer than the model reads.
    """
    length = overrides.get("max_seq_length")
    if length is not None and length > shape.context:
        raise LoraDeckError(
            "Longer than the model reads",
            f"max_seq_length={length} is over the model's context of {shape.context} tokens.",
            f"Set max_seq_length={shape.context} or less.",
        )


def check_schedule(overrides: Mapping[str, Any], steps: int) -> None:
    """Refuse a warm-up that never ends or never begins.

    Raises:
        LoraDeckError: A warm-up as long as the run, or one under a constant rate.
    """
    warmup = overrides.get("warmup_steps")
    if not warmup:
        return
    if warmup >= steps:
        raise LoraDeckError(
            "Warm-up longer than the run",
            f"warmup_steps={warmup}, but the run has {steps} steps: "
            "the learning rate would never reach its peak.",
            f"Set warmup_steps below {steps}.",
        )
    if overrides.get("lr_scheduler_type") == "constant":
        raise LoraDeckError(
            "Overrides contradict each other",
            f"lr_scheduler_type=constant has no warm-up, but warmup_steps={warmup} is set.",
            "Set lr_scheduler_type=constant_with_warmup, or leave warmup_steps out.",
        )
