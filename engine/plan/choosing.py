"""Settling the parameters one after the other; later ones follow earlier ones and overrides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.plan import checks
from engine.plan.fit import Need, fit
from engine.plan.parameters import TrainingParams
from engine.plan.rules import Band, band_for, epochs_for, learning_rate
from engine.plan.schedule import evaluation_rows, recommended_length, steps_per_epoch, total_steps
from engine.text import human_bytes

if TYPE_CHECKING:
    from engine.plan.draft import Draft

_CPU_BATCH = 2
"""On two cores one row at a time took 51 CPU-seconds where four, sorted by length, took 63."""
_SAVES = 10
_SAVE_STEPS = (5, 500)


def choose_all(draft: Draft, need: Need, rows: int) -> int:
    """Settle every parameter.

    Args:
        draft: Takes the choices; holds what the user set.
        need: Model, lengths and device.
        rows: Rows in the dataset.

    Returns:
        How many rows are trained on.

    Raises:
        LoraDeckError: The evaluation would leave no row to train on.
    """
    train_rows = rows - _evaluation(draft, rows)
    band = band_for(train_rows)
    _adapter(draft, band, train_rows)
    _length(draft, need)
    _numbers(draft, need)
    _optimizer(draft, need)
    _batch(draft, need, band, train_rows)
    steps = _epochs(draft, band, train_rows)
    rate, why = learning_rate(need.shape, band)
    draft.choose("learning_rate", rate, why)
    _schedule(draft, band, steps)
    return train_rows


def _evaluation(draft: Draft, rows: int) -> int:
    """Hold out rows to measure on."""
    planned = evaluation_rows(rows)
    reason = f"{rows} rows: up to 30 are all needed for the training"
    if planned:
        reason = f"{rows:,} rows: {planned / rows:.0%} are held out to see when it stops helping"
    held_out = draft.choose("eval_rows", planned, reason)
    checks.refuse_impossible_split(rows, held_out)
    return held_out


def _adapter(draft: Draft, band: Band, rows: int) -> None:
    """Choose the adapter's size by the data."""
    rank = draft.choose("lora_rank", band.rank, f"{rows:,} training rows: {band.rank} hold them")
    draft.choose("lora_alpha", 2 * rank, f"twice the rank of {rank}, as is usual")
    draft.choose("lora_dropout", 0.0, "0: costs a quarter of the speed, and gains little")
    draft.choose(
        "target_modules", "all-linear", "every linear layer: the attention's alone learn less"
    )


def _length(draft: Draft, need: Need) -> None:
    """Choose the length by the longest row and the model's context."""
    longest, context = need.lengths.longest, need.shape.context
    planned = min(recommended_length(longest), context)
    reason = f"the longest of {need.lengths.measured:,} measured rows has {longest:,} tokens"
    if longest > context:
        reason += f"; the model reads {context:,}"
    draft.choose("max_seq_length", planned, reason)


def _numbers(draft: Draft, need: Need) -> None:
    """Choose the number format by the device."""
    device = need.device
    if device.kind == "cpu":
        draft.choose("dtype", "float32", "a CPU computes fastest in 32 bits")
    elif device.bf16:
        draft.choose("dtype", "bfloat16", f"{device.name}: 16 bits, with the range of 32")
    elif device.kind == "cuda":
        draft.choose("dtype", "float16", f"{device.name} is too old for bfloat16: 16 bits")
    else:
        draft.choose("dtype", "float32", f"{device.name} has no bfloat16: 32 bits")


def _optimizer(draft: Draft, need: Need) -> None:
    """Choose the optimizer by the device, and what the field agrees upon."""
    if need.device.kind == "cuda":
        draft.choose("optim", "adamw_8bit", "AdamW with its state in 8 bits: a quarter of the size")
    else:
        draft.choose("optim", "adamw_torch", "AdamW in 32 bits; the 8-bit one needs an NVIDIA GPU")
    draft.choose("weight_decay", 0.0, "0: an adapter is small enough not to need it")
    draft.choose("max_grad_norm", 1.0, "1: one odd row cannot throw the adapter off")
    draft.choose("attn_implementation", "sdpa", "PyTorch's own attention, there on every device")
    draft.choose("seed", 42, "fixed at 42, so that a run can be repeated")


def _batch(draft: Draft, need: Need, band: Band, rows: int) -> None:
    """Choose batch, accumulation and what saves memory, so that the run fits."""
    draft.switch("use_4bit")
    draft.switch("gradient_checkpointing")
    effective = min(band.effective_batch, rows)
    wanted = draft.params().model_copy(update={"gradient_accumulation_steps": 1})
    free = set(TrainingParams.model_fields) - set(draft.overrides)
    batches = _batches(draft, need, effective)
    found = fit(need, wanted, free, batches)
    _savings(draft, need, wanted, found)
    batch = draft.choose("batch_size", found.batch_size, _batch_reason(need, batches, found))
    passes = max(1, round(effective / batch))
    why = f"{rows:,} training rows: {passes} x {batch} rows for each optimizer step"
    draft.choose("gradient_accumulation_steps", passes, why)


def _batches(draft: Draft, need: Need, effective: int) -> list[int]:
    """List the batch sizes to try, largest first."""
    if "batch_size" in draft.overrides:
        return [draft.overrides["batch_size"]]
    if "gradient_accumulation_steps" in draft.overrides:
        return [max(1, effective // draft.overrides["gradient_accumulation_steps"])]
    largest = min(effective, _CPU_BATCH) if need.device.kind == "cpu" else effective
    return [largest >> shift for shift in range(largest.bit_length())]


def _savings(draft: Draft, need: Need, wanted: TrainingParams, found: TrainingParams) -> None:
    """Give the reasons for what memory asked for, or did not."""
    free, taken = human_bytes(need.device.memory_free), human_bytes(need.memory(found).total)
    bits = f"{_width(wanted)} weights fit: the run needs {taken} of {free} free"
    if found.use_4bit:
        bits = f"with {_width(wanted)} weights it would not fit in {free}"
    elif need.device.kind != "cuda":
        bits = f"4 bits are for NVIDIA GPUs; here {_width(wanted)} weights are faster"
    draft.replace("use_4bit", found.use_4bit, bits)
    twice = f"{taken} of {free} free: no need to compute twice"
    if found.gradient_checkpointing:
        twice = f"keeping all activations would not fit in {free}"
    draft.replace("gradient_checkpointing", found.gradient_checkpointing, twice)
    if found.max_seq_length < wanted.max_seq_length:
        why = f"longer rows would not fit in {free}; cuts at most one row in 20"
        draft.replace("max_seq_length", found.max_seq_length, why)


def _batch_reason(need: Need, batches: list[int], found: TrainingParams) -> str:
    """Say what limits the batch."""
    free, taken = human_bytes(need.device.memory_free), human_bytes(need.memory(found).total)
    if found.batch_size < batches[0]:
        return (
            f"{batches[0]} rows at once would not fit in {free}; {found.batch_size} takes {taken}"
        )
    if need.device.kind == "cpu":
        return f"{found.batch_size} at once: more would only add padding on a CPU"
    return f"the whole of {found.batch_size} at once needs {taken} of {free} free"


def _width(params: TrainingParams) -> str:
    """Name the width of the weights when they are not quantized."""
    return "32-bit" if params.dtype == "float32" else "16-bit"


def _epochs(draft: Draft, band: Band, rows: int) -> int:
    """Choose the passes over the data, and count the optimizer steps."""
    params = draft.params()
    batch, passes = params.batch_size, params.gradient_accumulation_steps
    per_epoch = steps_per_epoch(rows, batch, passes)
    planned = epochs_for(rows, per_epoch, band)
    reason = f"{rows:,} training rows: {planned} x {per_epoch:,} steps = {planned * per_epoch:,}"
    if band.least_steps:
        reason += f", as a model needs about {band.least_steps} to learn"
    epochs = draft.choose("num_epochs", planned, reason)
    limit = draft.choose("max_steps", -1, f"none: the {epochs} epochs decide")
    return total_steps(rows, batch, passes, epochs, limit)


def _schedule(draft: Draft, band: Band, steps: int) -> None:
    """Choose what goes by the number of steps."""
    curve = draft.choose("lr_scheduler_type", "cosine", f"falls to 0 over the {steps:,} steps")
    warmup = round(band.warmup_share * steps) or min(band.warmup_steps, steps // 4)
    why = f"{warmup} of {steps:,} steps, while the optimizer learns the gradients' size"
    if curve == "constant":
        warmup, why = 0, "0: a constant rate has none"
    draft.choose("warmup_steps", warmup, why)
    draft.choose("early_stopping_patience", 0, "the best checkpoint is kept anyway")
    low, high = _SAVE_STEPS
    every = min(max(low, min(high, steps // _SAVES)), steps)
    draft.choose("save_steps", every, f"{steps:,} steps: a crash costs at most {every} of them")
