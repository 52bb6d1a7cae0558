"""Settling the batch, and what saves memory, so that the run fits and is fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import mark, tr
from engine.plan import checks
from engine.plan.abilities import has_8bit_optimizer
from engine.plan.fit import Need, fit, table_tokens
from engine.plan.parameters import TrainingParams
from engine.plan.sources import MEASURED, REGRET
from engine.text import human_bytes, human_width

if TYPE_CHECKING:
    from engine.plan.draft import Draft
    from engine.plan.rules import Band

_CPU_TOKENS = 1_024
"""In one forward pass. Measured best on two cores; 512 to 2,048 are within 6 %.

The trainer packs rows without padding, so that more of them cost nothing but memory.
"""
_QLORA = "QLoRA, arXiv 2305.14314"
_MODEL = mark("the memory model")


def choose_batch(draft: Draft, need: Need, band: Band, rows: int) -> None:
    """Choose batch, accumulation, and what memory asks for."""
    checks.check_batch(draft.overrides, rows)
    draft.switch("use_4bit")
    draft.switch("gradient_checkpointing")
    wanted = draft.params().model_copy(update={"gradient_accumulation_steps": 1})
    wanted = wanted.model_copy(update={"optim": _first_optimizer(draft, need)})
    effective = min(band.effective_batch, rows)
    batches = _batches(draft, need, wanted, effective)
    found = fit(need, wanted, set(TrainingParams.model_fields) - draft.fixed.keys(), batches)
    _savings(draft, need, wanted, found)
    _optimizer(draft, need, found)
    why, source = _batch_reason(need, batches, found)
    batch = draft.choose("batch_size", found.batch_size, why, source)
    passes = max(1, round(effective / batch))
    why = tr(
        "{rows:,} training rows: {passes} x {batch} rows for each optimizer step",
        rows=rows,
        passes=passes,
        batch=batch,
    )
    draft.choose("gradient_accumulation_steps", passes, why, REGRET)


def _first_optimizer(draft: Draft, need: Need) -> str:
    """Give the optimizer that the search begins with."""
    plain = not has_8bit_optimizer(need.device) or need.device.is_amd
    return str(draft.fixed.get("optim", "adamw_torch" if plain else "adamw_8bit"))


def _batches(draft: Draft, need: Need, wanted: TrainingParams, effective: int) -> list[int]:
    """List the batch sizes to try, largest first; the halves of an effective batch fill it."""
    if "batch_size" in draft.fixed:
        return [draft.fixed["batch_size"]]
    if "gradient_accumulation_steps" in draft.fixed:
        return [max(1, effective // draft.fixed["gradient_accumulation_steps"])]
    halves = [effective >> shift for shift in range(effective.bit_length())]
    if need.device.kind == "cpu":
        most = max(1, _CPU_TOKENS // need.row_tokens(wanted))
        halves = [batch for batch in halves if batch <= most]
    return halves


def _savings(draft: Draft, need: Need, wanted: TrainingParams, found: TrainingParams) -> None:
    """Give the reasons for what memory asked for, or did not."""
    free, taken = human_bytes(need.device.memory_free), human_bytes(need.memory(found).total)
    bits, source = _four_bit_reason(need, wanted, found)
    draft.replace("use_4bit", found.use_4bit, bits, source)
    twice = tr(
        "{taken} of {free} free: no need to compute twice, which takes 1.3 times as long",
        taken=taken,
        free=free,
    )
    if found.gradient_checkpointing:
        twice = tr(
            "keeping all activations would not fit in {free}, or only in smaller batches", free=free
        )
    draft.replace("gradient_checkpointing", found.gradient_checkpointing, twice, MEASURED)
    if found.max_seq_length < wanted.max_seq_length:
        why = tr("longer rows would not fit in {free}; cuts at most one row in 20", free=free)
        draft.replace("max_seq_length", found.max_seq_length, why, _MODEL)


def _four_bit_reason(need: Need, wanted: TrainingParams, found: TrainingParams) -> tuple[str, str]:
    """Say why the weights are in 4 bits or not, and where that comes from."""
    free, taken = human_bytes(need.device.memory_free), human_bytes(need.memory(found).total)
    width = human_width(wanted.dtype)
    if found.use_4bit:
        return tr("with {width} weights it would not fit in {free}", width=width, free=free), _QLORA
    if need.device.kind == "cpu":
        return tr("4 bits slow a CPU down: {width} weights", width=width), MEASURED
    if need.device.kind == "mps":
        return tr("4 bits need another device: {width} weights", width=width), "bitsandbytes"
    words = tr(
        "{width} weights fit: the run needs {taken} of {free} free",
        width=width,
        taken=taken,
        free=free,
    )
    return words, _QLORA


def _optimizer(draft: Draft, need: Need, found: TrainingParams) -> None:
    """Give the reason for the optimizer that was found."""
    free = human_bytes(need.device.memory_free)
    eight = need.memory(found.model_copy(update={"optim": "adamw_8bit"})).total
    saving = human_bytes(max(0, need.memory(found).total - eight))
    why = tr(
        "AdamW in 32 bits; 8 bits would save only {saving} of {free}", saving=saving, free=free
    )
    source = "PyTorch"
    if not has_8bit_optimizer(need.device):
        why = tr("AdamW in 32 bits; the 8-bit one needs a GPU of NVIDIA's or AMD's")
    elif found.optim == "adamw_8bit":
        why, source = tr("AdamW with its state in 8 bits: a quarter of the size"), "bitsandbytes"
    elif found.optim == "paged_adamw_8bit":
        why = tr("8 bits, moved out of the card when it is full: else over {free}", free=free)
        source = _QLORA
    draft.choose("optim", found.optim, why, source)


def _batch_reason(need: Need, batches: list[int], found: TrainingParams) -> tuple[str, str]:
    """Say what limits the batch, and where that comes from."""
    free, taken = human_bytes(need.device.memory_free), human_bytes(need.memory(found).total)
    tokens = found.batch_size * need.row_tokens(found)
    limit = table_tokens(need, found)
    if limit and batches[0] > found.batch_size and 2 * tokens > limit:
        card = human_bytes(need.device.memory_total)
        words = tr("{limit:,} tokens at once on a card of {card}", limit=limit, card=card)
        return words, mark("the hardware table")
    batch = found.batch_size
    if batch < batches[0]:
        words = tr(
            "{most} rows at once would not fit in {free}; {batch} takes {taken}",
            most=batches[0],
            free=free,
            batch=batch,
            taken=taken,
        )
        return words, _MODEL
    if need.device.kind == "cpu":
        words = tr(
            "{batch} rows of up to {tokens:,} tokens: about {suited:,} at once suit a CPU",
            batch=batch,
            tokens=need.row_tokens(found),
            suited=_CPU_TOKENS,
        )
        return words, MEASURED
    words = tr(
        "the whole of {batch} at once needs {taken} of {free} free",
        batch=batch,
        taken=taken,
        free=free,
    )
    return words, _MODEL
