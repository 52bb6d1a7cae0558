"""What a careful user would want to know before the start: nothing here refuses a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import tr
from engine.plan.device_names import device_name
from engine.plan.findings import finding
from engine.text import human_bytes, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.types import Finding, Level
    from engine.plan.parameters import TrainingParams
    from engine.plan.types import Device, Memory

_FEW_STEPS = 30
"""In fewer, a dozen new facts were not learned at any rate that was tried (demo model)."""
_LARGE_SHARE = 0.1
"""Of a card's memory: less than that is a desktop."""


def advice(
    params: TrainingParams, device: Device, memory: Memory, rows: int, steps: int
) -> list[Finding]:
    """Collect warnings and notes about a plan.

    Args:
        params: What the run is started with.
        device: Where it computes.
        memory: Predicted.
        rows: Training rows.
        steps: Optimizer steps of the whole run.
    """
    found = [*_about_device(device), *_holders(device, memory), *_formats(params, device)]
    if steps < _FEW_STEPS:
        words = tr(
            "Only {steps} optimizer steps: hardly anything is learned in fewer than 30.",
            steps=steps,
        )
        found.append(finding("warning", "few-steps", words, tr("Add rows, or raise num_epochs.")))
    if params.eval_rows > rows:
        words = tr(
            "More rows are held out ({eval_rows:,}) than trained on ({rows:,}).",
            eval_rows=params.eval_rows,
            rows=rows,
        )
        found.append(finding("warning", "small-split", words, tr("Set a lower eval_rows.")))
    return found


def _about_device(device: Device) -> Iterator[Finding]:
    """Say why this device, and what has not been tried on it."""
    if device.chosen:
        words = tr("You chose {name}: the run starts on no other device.", name=device_name(device))
        hint = tr("Without a choice the plan takes the card with the most memory free.")
        yield finding("note", "device", words, hint)
    elif device.note:
        hint = tr("See loradeck doctor.")
        if device.kind == "cuda":
            hint = tr("Another one can be chosen (--device).")
        yield finding("note", "device", device.note, hint)
    if device.is_amd:
        words = tr("AMD cards are planned for by their data sheets; LoRADeck was not tried on one.")
        yield finding("note", "amd", words, tr("The first step shows whether the memory is right."))


def _holders(device: Device, memory: Memory) -> Iterator[Finding]:
    """Name who holds a large part of the card; worse where the run does not fit beside it."""
    for holder in device.holders:
        if holder.memory < _LARGE_SHARE * device.memory_total:
            continue
        held = human_bytes(holder.memory)
        words = tr(
            "{name} (pid {pid}) holds {held} of the card.",
            name=visible(holder.name),
            pid=holder.pid,
            held=held,
        )
        level: Level = "note" if memory.fits else "warning"
        yield finding(level, "card-held", words, tr("End it first, if it is not needed."))


def _formats(params: TrainingParams, device: Device) -> Iterator[Finding]:
    """Warn of number formats that the device is slow in."""
    if params.dtype == "bfloat16" and not device.bf16:
        words = tr(
            "{name} has no fast bfloat16: this will be several times slower.", name=device.name
        )
        other = "float16" if device.kind == "cuda" else "float32"
        yield finding("warning", "slow-dtype", words, tr("Set dtype={dtype}", dtype=other))
    elif params.dtype == "bfloat16" and device.kind == "cpu" and params.use_4bit:
        words = tr("A 4-bit base in bfloat16 is about four times slower on a CPU than in float32.")
        yield finding("warning", "slow-dtype", words, tr("Set dtype={dtype}", dtype="float32"))
    elif params.dtype == "float32" and device.kind == "cpu" and device.bf16 and not params.use_4bit:
        words = tr("This CPU has units for bfloat16: float32 takes about twice as long.")
        yield finding("note", "slow-dtype", words, tr("Set dtype={dtype}", dtype="bfloat16"))
