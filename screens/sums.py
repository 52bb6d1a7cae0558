"""What a plan adds up to: memory and disk by part, the device, steps, tokens and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from engine.language import listed, mark, tr, trn
from engine.plan.device_names import device_name
from engine.text import human_bytes, human_count, human_duration, human_free
from screens.format import fitted, one_line, widest
from screens.widgets.facts import hung
from screens.widgets.findings import counted, finding_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data.types import Finding
    from engine.plan.types import Device, Memory, Plan

_BAR = 5
_LABEL = 13
_BYTES = 9
_GAP = "  "
_HOLDERS = 3
_PARTS = {
    "weights": mark("weights"),
    "adapter": mark("adapter"),
    "gradients": mark("gradients"),
    "optimizer": mark("optimizer"),
    "activations": mark("activations"),
    "logits": mark("logits"),
    "framework": mark("framework"),
    "checkpoints": mark("checkpoints"),
    "cache": mark("cache"),
}


def memory_words(memory: Memory, bar: int = _BAR) -> Content:
    """Draw the memory needed beside what is free."""
    needed, free = memory.total, memory.free
    filled = max(1, min(bar, round(bar * needed / free))) if free else bar
    style = "$primary" if memory.fits else "$error"
    words = f" {_of_free(needed, free)}"
    return Content.assemble(
        ("━" * filled, style), ("─" * (bar - filled), "$faint"),
        words if memory.fits else (f"{words} ✗ {tr('too little')}", "$text-error"),
    )  # fmt: skip


def disk_words(plan: Plan) -> Content:
    """Write the disk needed beside what is free."""
    words = _of_free(plan.disk_needed, plan.disk_free)
    if plan.disk_needed <= plan.disk_free:
        return Content(words)
    return Content.styled(f"{words} ✗ {tr('too little')}", "$text-error")


def _of_free(needed: int, free: int) -> str:
    """Write what is needed beside what is free."""
    return tr("{needed} of {free} free", needed=human_bytes(needed), free=human_bytes(free))


def time_words(plan: Plan) -> str:
    """Write the predicted time; empty where nothing is known."""
    return "" if plan.seconds is None else tr("about {time}", time=human_duration(plan.seconds))


def tokens_seen(plan: Plan) -> float:
    """Estimate the tokens that the run reads: what a length cuts off is not read."""
    lengths, params = plan.lengths, plan.training_params
    a_row = (lengths.total - plan.tokens_cut) / max(lengths.measured, 1)
    rows = min(plan.train_rows * params.num_epochs, plan.total_steps * params.effective_batch)
    if params.max_steps > 0:
        rows = plan.total_steps * params.effective_batch
    return a_row * rows


def brief_sums(plan: Plan) -> list[Content]:
    """Write the sums in three lines, for a small terminal."""
    labels = tr("memory"), tr("device"), tr("run")
    width = widest(labels) + 1
    memory, device, run = ((fitted(label, width), "$muted") for label in labels)
    return [
        Content.assemble(memory, memory_words(plan.memory),
                         (f"  {tr('disk')} ", "$muted"), disk_words(plan)),
        Content.assemble(device, device_words(plan.device),
                         (f"  {tr('chosen by you')}" if plan.device.chosen else "", "$muted"),
                         *_counted(plan.findings)),
        Content.assemble(run, _run(plan)),
    ]  # fmt: skip


def _counted(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Count the findings that one should read, by glyph and word."""
    told = [finding for finding in findings if finding.level in ("error", "warning")]
    return [(f"  {words}", style) for words, style in counted(told)]


def sums_lines(plan: Plan, width: int) -> list[Content]:
    """Write all sums, a line each; findings may take more."""
    lines = [
        *_heading(tr("Memory"), memory_words(plan.memory, 2 * _BAR)),
        *_shares(plan.memory.parts, width),
        _note(_measured(plan.memory)),
        *_heading(tr("Disk"), disk_words(plan)),
        *_shares(plan.disk_parts, width),
        *_heading(tr("Run"), Content(_steps(plan))),
        *_run_lines(plan),
        *_heading(tr("Device"), device_words(plan.device)),
        *device_lines(plan.device),
    ]
    if plan.findings:
        lines += _heading(tr("Findings"), Content())
        lines += [hung(finding_text(finding), width) for finding in plan.findings]
    return lines[1:]


def device_words(device: Device) -> Content:
    """Write where the run computes, and whether the user wants it so."""
    if device.hypothetical:
        here = (f"  ▲ {tr('not here')}", "$text-warning")
        return Content.assemble(one_line(device.name), here)
    if device.chosen:
        return Content.assemble(("✎ ", "$text-warning"), place_words(device))
    # The number matters where there is a choice
    return Content(place_words(device) if device.kind == "cpu" else one_line(device.name))


def place_words(device: Device) -> str:
    """Name a device; the processor by its cores, a card of this machine with its number."""
    if device.kind == "cpu":
        return trn("CPU, {count} core", "CPU, {count} cores", device.cores)
    return one_line(device_name(device))


def free_words(device: Device) -> str:
    """Write what is free of a device's memory."""
    return human_free(device.memory_free, device.memory_total)


def changed_words(before: Plan | None, after: Plan) -> list[Content]:
    """Say what a value would change in the sums; and what would refuse the start."""
    steps, needed = f"{after.total_steps}", human_bytes(after.memory.total)
    if before is not None:
        steps = _from_to(f"{before.total_steps}", steps)
        needed = _from_to(human_bytes(before.memory.total), needed)
    free = human_bytes(after.memory.free)
    parts = [
        tr("{steps} steps", steps=steps),
        tr("{needed} of {free} free", needed=needed, free=free),
        time_words(after),
    ]
    errors = [finding for finding in after.findings if finding.level == "error"]
    return [Content(" · ".join(filter(None, parts))), *map(finding_text, errors)]


def _from_to(before: str, after: str) -> str:
    """Write a change; a figure that stays is written once."""
    return after if before == after else f"{before} → {after}"


def _heading(title: str, words: Content) -> list[Content]:
    """Begin a part, after a blank line."""
    return [Content(), Content.assemble((fitted(title, _LABEL), "bold $text-primary"), words)]


def _note(words: str) -> Content:
    """Write a quiet line."""
    return Content.styled(words, "$muted")


def _fact(label: str, words: str) -> Content:
    """Write a label and its words."""
    return Content.assemble((fitted(label, _LABEL), "$muted"), words)


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
                (fitted(_part_words(name), _LABEL), "$muted"),
                human_bytes(size).rjust(_BYTES), _GAP,
                ("·" * begin, "$faint"), ("━" * (end - begin), "$primary"),
            )
        )  # fmt: skip
    return lines


def _part_words(name: str) -> str:
    """Write the name of a part of memory or disk."""
    return tr(_PARTS[name]) if name in _PARTS else one_line(name)


def _measured(memory: Memory) -> str:
    """Say what the prediction rests on."""
    if memory.measured:
        return tr("corrected by a step measured here")
    return tr("predicted; tried before the first step")


def _steps(plan: Plan) -> str:
    """Say how many steps there are, and by what."""
    params = plan.training_params
    steps = tr("{steps} steps", steps=f"{plan.total_steps:,}")
    if params.max_steps > 0:
        return steps
    return listed((steps, trn("{count} epoch", "{count} epochs", params.num_epochs)))


def _run(plan: Plan) -> str:
    """Say in a line how much there is to do."""
    tokens = tr("about {tokens} tokens", tokens=human_count(tokens_seen(plan)))
    return " · ".join(filter(None, (_steps(plan), tokens, time_words(plan))))


def _run_lines(plan: Plan) -> list[Content]:
    """Say what a step learns from, what is cut, and what is known of the time."""
    params = plan.training_params
    passes = f"({params.batch_size} × {params.gradient_accumulation_steps})"
    trained, held_out = f"{plan.train_rows:,}", f"{params.eval_rows:,}"
    rows = tr("{trained} trained, {held_out} held out", trained=trained, held_out=held_out)
    lines = [
        _fact(tr("a step"), f"{tr('{rows} rows', rows=params.effective_batch)} {passes}"),
        _fact(tr("rows"), rows),
        _fact(tr("tokens"), tr("about {count}", count=human_count(tokens_seen(plan)))),
        _fact(tr("time"), time_words(plan) or tr("known once a run was measured")),
    ]
    if plan.rows_cut:
        cut, tokens = f"{plan.rows_cut:,}", f"{plan.tokens_cut:,}"
        words = tr("{rows} rows lose {tokens} tokens", rows=cut, tokens=tokens)
        lines.append(_fact(tr("cut"), words))
    return lines


def device_lines(device: Device) -> list[Content]:
    """Say what is known of the device, and who holds its memory."""
    known = [] if device.hypothetical else [f"GPU {device.index}"]
    if device.kind == "cpu":
        known = [one_line(device.name)]
    if device.chosen:
        known.insert(0, tr("chosen by you"))
    if device.capability:
        version = "{}.{}".format(*device.capability)
        known.append(tr("capability {version}", version=version))
    known += ["bfloat16"] if device.bf16 else []
    known += [one_line(feature) for feature in device.features]
    lines = [_note(listed(known)), _fact(tr("memory"), free_words(device))]
    for holder in device.holders[:_HOLDERS]:
        size = human_bytes(holder.memory) if holder.memory else tr("memory not told")
        lines.append(_fact(tr("held by"), f"{one_line(holder.name)} ({holder.pid}), {size}"))
    if device.hypothetical:
        words = tr("Not in this machine: a plan can be made for it, a run cannot start.")
        lines.append(_note(words))
    return lines
