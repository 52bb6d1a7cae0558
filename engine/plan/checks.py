"""Overrides that contradict each other, the model, the data or the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import mark, tr
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
            tr("Nothing to train on"), tr("The dataset has no rows."), tr("Choose another dataset.")
        )
    if eval_rows >= rows:
        raise LoraDeckError(
            tr("Dataset too small to split"),
            tr(
                "eval_rows={eval_rows} of {rows} rows leaves none to train on.",
                eval_rows=eval_rows,
                rows=rows,
            ),
            tr("Hold out fewer: eval_rows below {rows}, or 0 for none.", rows=rows),
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
            tr("Optimizer needs a GPU"),
            tr(
                "optim={optim} runs on GPUs of NVIDIA's (Pascal or newer) and AMD's only; "
                "this run computes on {name}.",
                optim=optim,
                name=device.name,
            ),
            tr("Leave optim out, or set optim=adamw_torch"),
        )
    if overrides.get("use_4bit") and not quantizes(device):
        raise LoraDeckError(
            tr("No 4-bit on this device"),
            tr(
                "use_4bit=true needs a GPU of NVIDIA's (Pascal or newer) or AMD's, or a "
                "CPU; this run computes on {name}.",
                name=device.name,
            ),
            tr("Leave use_4bit out."),
        )
    if overrides.get("dtype") == "float16" and device.kind == "cpu":
        raise LoraDeckError(
            tr("Number format needs a GPU"),
            tr("dtype=float16 cannot be trained in on a CPU: its gradients underflow."),
            tr(
                "Leave dtype out, or set dtype={dtype}",
                dtype="bfloat16" if device.bf16 else "float32",
            ),
        )
    if overrides.get("dtype") == "float16" and device.kind == "mps":
        raise LoraDeckError(
            tr("Number format needs another GPU"),
            tr("dtype=float16 needs a loss scaler, which Apple GPUs do not have."),
            tr(
                "Leave dtype out, or set dtype={dtype}",
                dtype="bfloat16" if device.bf16 else "float32",
            ),
        )


def check_against_adapter(overrides: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
    """Refuse to give another shape to an adapter that is trained further.

    Raises:
        LoraDeckError: An override of what the adapter fixes.
    """
    for key, value in fixed.items():
        if overrides.get(key, value) != value:
            raise LoraDeckError(
                tr("The adapter decides this"),
                tr(
                    "{key}={wanted} does not fit the adapter that is trained further: its "
                    "{key} is {value}.",
                    key=key,
                    wanted=overrides[key],
                    value=value,
                ),
                tr("Leave {key} out, or train a new adapter.", key=key),
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
    reason = tr(
        "it needs {needs}; this run computes in {dtype} on {name}",
        needs=tr(needs),
        dtype=params.dtype,
        name=device.name,
    )
    if runs_kernel(kernel, device, params.dtype):
        if kernel in installed:
            return
        reason = tr("the package {package} is not installed", package=package)
    raise LoraDeckError(
        tr("Attention kernel not available"),
        tr("attn_implementation={kernel}: {reason}.", kernel=kernel, reason=reason),
        tr("Leave attn_implementation out, or set attn_implementation=sdpa"),
    )


_KERNELS = {
    "flash_attention_2": (
        "flash-attn",
        mark("an NVIDIA GPU of compute capability 8.0 and 16 bits"),
    ),
    "flash_attention_3": ("flash-attn-3", mark("an NVIDIA GPU of the Hopper series and 16 bits")),
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
            tr("Model reads too little"),
            tr(
                "The model's context is {context} tokens; a training needs {shortest} at least.",
                context=shape.context,
                shortest=shortest,
            ),
            tr("Choose another base model."),
        )
    length = overrides.get("max_seq_length")
    if length is not None and length > shape.context:
        raise LoraDeckError(
            tr("Longer than the model reads"),
            tr(
                "max_seq_length={length} is over the model's context of {context} tokens.",
                length=length,
                context=shape.context,
            ),
            tr("Set max_seq_length={context} or less.", context=shape.context),
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
            tr("Larger than the dataset"),
            tr(
                "{wanted}: an optimizer step would take {step:,} rows, and {rows:,} are "
                "trained on.",
                wanted=wanted,
                step=step,
                rows=rows,
            ),
            tr("Set them so that their product is {rows} or less.", rows=rows),
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
            tr("Overrides contradict each other"),
            tr(
                "early_stopping_patience={patience} needs rows to measure on, and eval_rows is 0.",
                patience=patience,
            ),
            tr("Set eval_rows as well, or leave early_stopping_patience out."),
        )
    if patience >= evaluations:
        raise LoraDeckError(
            tr("Early stopping can never act"),
            tr(
                "early_stopping_patience={patience}, but the run has only {evaluations} "
                "evaluations, one every {save_steps} steps.",
                patience=patience,
                evaluations=evaluations,
                save_steps=params.save_steps,
            ),
            tr("Set a lower patience or lower save_steps."),
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
            tr("Warm-up longer than the run"),
            tr(
                "warmup_steps={warmup}, but the run has {steps} steps: the learning rate "
                "would never reach its peak.",
                warmup=warmup,
                steps=steps,
            ),
            tr("Set warmup_steps below {steps}.", steps=steps),
        )
    if overrides.get("lr_scheduler_type") == "constant":
        raise LoraDeckError(
            tr("Overrides contradict each other"),
            tr(
                "lr_scheduler_type=constant has no warm-up, but warmup_steps={warmup} is set.",
                warmup=warmup,
            ),
            tr("Set lr_scheduler_type=constant_with_warmup, or leave warmup_steps out."),
        )
