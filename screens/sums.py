"""What a plan adds up to: memory and disk by part, the device, steps, tokens and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.text import human_bytes, human_count, human_duration
from screens.format import LEVELS, one_line
from screens.widgets.findings import TONES, finding_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data.types import Finding
    from engine.plan.types import Device, Memory, Plan

_BAR = 5
_LABEL = 13
_BYTES = 9
_GAP = "  "
_HOLDERS = 3


def memory_words(memory: Memory, bar: int = _BAR) -> Content:
    """Draw the memory needed beside what is free."""
    needed, free = memory.total, memory.free
    filled = max(1, min(bar, round(bar * needed / free))) if free else bar
    style = "$primary" if memory.fits else "$error"
    words = f" {human_bytes(needed)} of {human_bytes(free)} free"
    return Content.assemble(
        ("━" * filled, style), ("─" * (bar - filled), "$faint"),
        words if memory.fits else (f"{words} ✗ too little", "$text-error"),
    )  # fmt: skip


def disk_words(plan: Plan) -> Content:
    """Write the disk needed beside what is free."""
    words = f"{human_bytes(plan.disk_needed)} of {human_bytes(plan.disk_free)} free"
    if plan.disk_needed <= plan.disk_free:
        return Content(words)
    return Content.styled(f"{words} ✗ too little", "$text-error")


def time_words(plan: Plan) -> str:
    """Write the predicted time; empty where nothing is known."""
    return "" if plan.seconds is None else f"about {human_duration(plan.seconds)}"


def tokens_seen(plan: Plan) -> float:
    """Estimate the tokens that the run reads: what a length cuts off is not read."""
    lengths, params = plan.lengths, plan.training_params
    a_row = (lengths.total - plan.tokens_cut) / max(lengths.measured, 1)
    rows = min(plan.train_rows * params.num_epochs, plan.total_steps * params.effective_batch)
    if params.max_steps > 0:
        rows = plan.total_steps * params.effective_batch
    return a_row * rows


def brief_sums(plan: Plan) -> list[Content]:
    """Write the sums in two lines, for a small terminal."""
    return [
        Content.assemble(("memory ", "$muted"), memory_words(plan.memory),
                         ("  disk ", "$muted"), disk_words(plan)),
        Content.assemble(("run ", "$muted"), _run(plan), *_counted(plan.findings)),
    ]  # fmt: skip


def _counted(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Count the findings that one should read, by glyph and word."""
    told = []
    for level in ("error", "warning"):
        count = sum(finding.level == level for finding in findings)
        sign = LEVELS[level]
        if count:
            words = f"  {sign.glyph} {count} {sign.word}{'s' * (count > 1)}"
            told.append((words, TONES[sign.tone]))
    return told


def sums_lines(plan: Plan, width: int) -> list[Content]:
    """Write all sums, a line each; findings may take more."""
    lines = [
        *_heading("Memory", memory_words(plan.memory, 2 * _BAR)),
        *_shares(plan.memory.parts, width),
        _note(_measured(plan.memory)),
        *_heading("Disk", disk_words(plan)),
        *_shares(plan.disk_parts, width),
        *_heading("Run", Content(_steps(plan))),
        *_run_lines(plan),
        *_heading("Device", Content(device_words(plan.device))),
        *_device_lines(plan.device),
    ]
    if plan.findings:
        lines += [*_heading("Findings", Content()), *map(finding_text, plan.findings)]
    return lines[1:]


def device_words(device: Device) -> str:
    """Write where the run computes."""
    if device.kind == "cpu":
        return f"CPU, {device.cores} core{'s' * (device.cores != 1)}"
    return one_line(device.name)


def changed_words(before: Plan | None, after: Plan) -> list[Content]:
    """Say what a value would change in the sums; and what would refuse the start."""
    steps, needed = f"{after.total_steps}", human_bytes(after.memory.total)
    if before is not None:
        steps = _from_to(f"{before.total_steps}", steps)
        needed = _from_to(human_bytes(before.memory.total), needed)
    words = f"{steps} steps · {needed} of {human_bytes(after.memory.free)} free"
    time = time_words(after)
    errors = [finding for finding in after.findings if finding.level == "error"]
    return [Content(" · ".join(filter(None, (words, time)))), *map(finding_text, errors)]


def _from_to(before: str, after: str) -> str:
    """Write a change; a figure that stays is written once."""
    return after if before == after else f"{before} → {after}"


def _heading(title: str, words: Content) -> list[Content]:
    """Begin a part, after a blank line."""
    return [Content(), Content.assemble((title.ljust(_LABEL), "bold $text-primary"), words)]


def _note(words: str) -> Content:
    """Write a quiet line."""
    return Content.styled(words, "$muted")


def _fact(label: str, words: str) -> Content:
    """Write a label and its words."""
    return Content.assemble((label.ljust(_LABEL), "$muted"), words)


def _shares(parts: dict[str, int], width: int) -> list[Content]:
    """Draw parts beneath each other, each bar going on where the one above ends."""
    total = sum(parts.values())
    room = max(width - _LABEL - _BYTES - len(_GAP), 0)
    lines, done = [], 0
    for name, size in parts.items():
        begin = round(room * done / total) if total else 0
        done += size
        end = max(round(room * done / total), min(begin + 1, room)) if total else 0
        begin = min(begin, max(end - 1, 0))
        lines.append(
            Content.assemble(
                (one_line(name).ljust(_LABEL), "$muted"), human_bytes(size).rjust(_BYTES), _GAP,
                ("·" * begin, "$faint"), ("━" * (end - begin), "$primary"),
            )
        )  # fmt: skip
    return lines


def _measured(memory: Memory) -> str:
    """Say what the prediction rests on."""
    if memory.measured:
        return "corrected by a step measured here"
    return "predicted; tried before the first step"


def _steps(plan: Plan) -> str:
    """Say how many steps there are, and by what."""
    params = plan.training_params
    epochs = f", {params.num_epochs} epoch{'s' * (params.num_epochs != 1)}"
    return f"{plan.total_steps:,} steps{'' if params.max_steps > 0 else epochs}"


def _run(plan: Plan) -> str:
    """Say in a line how much there is to do."""
    tokens = f"about {human_count(tokens_seen(plan))} tokens"
    return " · ".join(filter(None, (_steps(plan), tokens, time_words(plan))))


def _run_lines(plan: Plan) -> list[Content]:
    """Say what a step learns from, what is cut, and what is known of the time."""
    params = plan.training_params
    lines = [
        _fact("a step", f"{params.effective_batch} rows"
              f" ({params.batch_size} × {params.gradient_accumulation_steps})"),
        _fact("rows", f"{plan.train_rows:,} trained, {params.eval_rows:,} held out"),
        _fact("tokens", f"about {human_count(tokens_seen(plan))}"),
        _fact("time", time_words(plan) or "known once a run was measured"),
    ]  # fmt: skip
    if plan.rows_cut:
        lines.append(_fact("cut", f"{plan.rows_cut:,} rows lose {plan.tokens_cut:,} tokens"))
    return lines


def _device_lines(device: Device) -> list[Content]:
    """Say what is known of the device, and who holds its memory."""
    known = [one_line(device.name)] if device.kind == "cpu" else [f"GPU {device.index}"]
    if device.capability:
        known.append("capability {}.{}".format(*device.capability))
    known += ["bfloat16"] if device.bf16 else []
    known += [one_line(feature) for feature in device.features]
    memory = f"{human_bytes(device.memory_free)} of {human_bytes(device.memory_total)} free"
    lines = [_note(", ".join(known)), _fact("memory", memory)]
    for holder in device.holders[:_HOLDERS]:
        size = human_bytes(holder.memory) if holder.memory else "memory not told"
        lines.append(_fact("held by", f"{one_line(holder.name)} ({holder.pid}), {size}"))
    if device.hypothetical:
        lines.append(_note("Not in this machine: a plan can be made for it, a run cannot start."))
    return lines
