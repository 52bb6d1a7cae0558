"""Overrides that contradict each other, the model, the data or the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.plan.abilities import has_8bit_optimizer, quantizes, runs_kernel

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

    from engine.models.types import ModelShape
    from engine.plan.parameters import TrainingParams
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
        LoraDeckError: An 8-bit optimizer without a GPU that has it, 4-bit on an Apple GPU or a
            very old card, fp16 on a CPU.
    """
    optim = overrides.get("optim")
    if optim in ("adamw_8bit", "paged_adamw_8bit") and not has_8bit_optimizer(device):
        raise LoraDeckError(
            "Optimizer needs a GPU",
            f"optim={optim} runs on GPUs of NVIDIA's (Pascal or newer) and AMD's only; "
            f"this run computes on {device.name}.",
            "Leave optim out, or set optim=adamw_torch",
        )
    if overrides.get("use_4bit") and not quantizes(device):
        raise LoraDeckError(
            "No 4-bit on this device",
            "use_4bit=true needs a GPU of NVIDIA's (Pascal or newer) or AMD's, or a CPU; "
            f"this run computes on {device.name}.",
            "Leave use_4bit out.",
        )
    if overrides.get("dtype") == "float16" and device.kind == "cpu":
        raise LoraDeckError(
            "Number format needs a GPU",
            "dtype=float16 cannot be trained in on a CPU: its gradients underflow.",
            f"Leave dtype out, or set dtype={'bfloat16' if device.bf16 else 'float32'}",
        )
    if overrides.get("dtype") == "float16" and device.kind == "mps":
        raise LoraDeckError(
            "Number format needs another GPU",
            "dtype=float16 needs a loss scaler, which Apple GPUs do not have.",
            f"Leave dtype out, or set dtype={'bfloat16' if device.bf16 else 'float32'}",
        )


def check_against_adapter(overrides: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
    """Refuse to give another shape to an adapter that is trained further.

    Raises:
        LoraDeckError: An override of what the adapter fixes.
    """
    for key, value in fixed.items():
        if overrides.get(key, value) != value:
            raise LoraDeckError(
                "The adapter decides this",
                f"{key}={overrides[key]} does not fit the adapter that is trained further: "
                f"its {key} is {value}.",
                f"Leave {key} out, or train a new adapter.",
            )


def check_attention(
    overrides: Mapping[str, Any], params: TrainingParams, device: Device, installed: Set[str]
) -> None:
    """Refuse an attention kernel that is not installed, or that the device cannot run.

    Raises:
        LoraDeckError: Says which package is missing, or what the kernel needs.
    """
    kernel = overrides.get("attn_implementation", "sdpa")
    if kernel == "sdpa":
        return
    package, needs = _KERNELS[kernel]
    reason = f"it needs {needs}; this run computes in {params.dtype} on {device.name}"
    if runs_kernel(kernel, device, params.dtype):
        if kernel in installed:
            return
        reason = f"the package {package} is not installed"
    raise LoraDeckError(
        "Attention kernel not available",
        f"attn_implementation={kernel}: {reason}.",
        "Leave attn_implementation out, or set attn_implementation=sdpa",
    )


_KERNELS = {
    "flash_attention_2": ("flash-attn", "an NVIDIA GPU of compute capability 8.0 and 16 bits"),
    "flash_attention_3": ("flash-attn-3", "an NVIDIA GPU of the Hopper series and 16 bits"),
}


_SHORTEST_CONTEXT = 16
"""The least that ``max_seq_length`` may be."""


def check_against_model(overrides: Mapping[str, Any], shape: ModelShape) -> None:
    """Refuse what the model cannot do.

    Raises:
        LoraDeckError: Rows longer than the model reads.
    """
    shortest = _SHORTEST_CONTEXT
    if shape.context < shortest:
        raise LoraDeckError(
            "Model reads too little",
            f"The model's context is {shape.context} tokens; a training needs {shortest} at least.",
            "Choose another base model.",
        )
    length = overrides.get("max_seq_length")
    if length is not None and length > shape.context:
        raise LoraDeckError(
            "Longer than the model reads",
            f"max_seq_length={length} is over the model's context of {shape.context} tokens.",
            f"Set max_seq_length={shape.context} or less.",
        )


def check_batch(overrides: Mapping[str, Any], rows: int) -> None:
    """Refuse an optimizer step of more rows than are trained on.

    Raises:
        LoraDeckError: Batch times accumulation, as far as they were set, is over the rows.
    """
    keys = [key for key in ("batch_size", "gradient_accumulation_steps") if key in overrides]
    step = 1
    for key in keys:
        step *= overrides[key]
    if step > rows:
        wanted = " x ".join(f"{key}={overrides[key]}" for key in keys)
        raise LoraDeckError(
            "Larger than the dataset",
            f"{wanted}: an optimizer step would take {step:,} rows, and {rows:,} are trained on.",
            f"Set them so that their product is {rows} or less.",
        )


def check_early_stopping(
    overrides: Mapping[str, Any], params: TrainingParams, evaluations: int
) -> None:
    """Refuse an early stopping that could never act.

    Args:
        overrides: What the user set.
        params: The whole plan.
        evaluations: How often the run would be evaluated.

    Raises:
        LoraDeckError: No rows are held out, or the run ends before the patience does.
    """
    patience = overrides.get("early_stopping_patience")
    if not patience:
        return
    if not params.eval_rows:
        raise LoraDeckError(
            "Overrides contradict each other",
            f"early_stopping_patience={patience} needs rows to measure on, and eval_rows is 0.",
            "Set eval_rows as well, or leave early_stopping_patience out.",
        )
    if patience >= evaluations:
        raise LoraDeckError(
            "Early stopping can never act",
            f"early_stopping_patience={patience}, but the run has only {evaluations} evaluations, "
            f"one every {params.save_steps} steps.",
            "Set a lower patience or lower save_steps.",
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
