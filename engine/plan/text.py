"""A plan as plain text, for the command line and for logs: at most 80 columns."""

from __future__ import annotations

import itertools
import unicodedata
from typing import TYPE_CHECKING

from engine.data.shapes import describe_shape
from engine.plan.parameters import as_override
from engine.plan.presets import find_preset
from engine.text import human_bytes, human_count, human_duration, visible

if TYPE_CHECKING:
    from engine.data.types import Finding
    from engine.plan.types import Choice, Plan

WIDTH = 80
_LABEL = 10
_CHOSEN = "chosen by you"


def plan_lines(plan: Plan) -> list[str]:
    """Write a plan: what is trained on what, what it needs, every parameter with its reason.

    Returns:
        Lines of at most 80 columns, without markup or control characters.
    """
    lines = [line for label, text in _summary(plan) for line in _hang(label, text, _LABEL)]
    lines.append("")
    lines.extend(_table(plan))
    for finding in plan.findings:
        lines.extend(["", *_finding(finding)])
    return lines


def _summary(plan: Plan) -> list[tuple[str, str]]:
    """Give the head of the plan, a label and a text a line."""
    dataset = plan.dataset
    left_out = f", {dataset.faulty:,} left out" if dataset.faulty else ""
    rows = f"{dataset.dataset_type}, {dataset.rows:,} rows{left_out}"
    return [
        ("dataset", f"{plan.dataset_file} ({rows})"),
        *_mapping(plan),
        ("tokens", _tokens(plan)),
        ("model", _model(plan)),
        ("device", _device(plan)),
        ("memory", _memory(plan)),
        ("disk", _sum(plan.disk_parts, plan.disk_needed, plan.disk_free)),
        *([("starts from", visible(plan.adapter))] if plan.adapter else []),
        *([("preset", _preset(plan.preset))] if plan.preset else []),
        ("run", _run(plan)),
    ]


def _memory(plan: Plan) -> str:
    """Show the memory as a sum, and whether a measured step stands behind it."""
    memory = plan.memory
    measured = "; corrected by a step measured on this machine" if memory.measured else ""
    return _sum(memory.parts, memory.total, memory.free) + measured


def _sum(parts: dict[str, int], total: int, free: int) -> str:
    """Write what is needed beside what is free, and as the sum of its parts."""
    needed = f"{human_bytes(total)} needed, {human_bytes(free)} free"
    summed = " + ".join(f"{name} {human_bytes(size)}" for name, size in parts.items() if size)
    return f"{needed}: {summed}" if summed else needed


def _preset(name: str) -> str:
    """Name the preset, and what it is."""
    preset = find_preset(name)
    return f"{name}: {preset.description}" if preset else name


def _mapping(plan: Plan) -> list[tuple[str, str]]:
    """Say which column is which, where their names had to be interpreted."""
    shape = plan.dataset.shape
    return [("columns", describe_shape(shape))] if shape is not None and shape.guessed else []


def _tokens(plan: Plan) -> str:
    """Say how long the rows are, and what is trained of them."""
    lengths = plan.lengths
    about, how = "", ""
    if lengths.error:
        about = "about "
        how = f" (± {lengths.error:.1%}, from {lengths.measured:,} of {lengths.rows:,} rows)"
    return (
        f"{about}{lengths.estimated_total:,}{how}, "
        f"{about}{lengths.estimated_trained:,} of them trained; "
        f"a row has {lengths.p50:,} (median) to {lengths.longest:,}"
    )


def _model(plan: Plan) -> str:
    """Name the base model with its size."""
    shape = plan.model.shape
    size = f" ({shape.architecture}, {human_count(shape.parameters)} parameters)" if shape else ""
    return f"{plan.base_model}{size}"


def _device(plan: Plan) -> str:
    """Name the device, with what it can do."""
    device = plan.device
    if device.kind == "cpu":
        cores = f"{device.cores} {'core' if device.cores == 1 else 'cores'}"
        units = f" with {', '.join(device.features)}" if device.features else ""
        return f"{device.name}, {cores}{units} ({_CHOSEN if device.chosen else 'no GPU'})"
    facts = [human_bytes(device.memory_total)]
    if device.capability:
        facts.append("compute capability {}.{}".format(*device.capability))
    if device.hypothetical:
        facts.append("not in this machine")
    if device.chosen:
        facts += [f"card {device.index}", _CHOSEN]
    return f"{device.name} ({', '.join(facts)})"


def _run(plan: Plan) -> str:
    """Say how much there is to do."""
    params = plan.training_params
    epochs = f"{params.num_epochs} {'epoch' if params.num_epochs == 1 else 'epochs'}"
    if params.max_steps > 0:
        epochs = f"max_steps={params.max_steps}"
    time = ""
    if plan.seconds is not None:
        time = f"; about {human_duration(plan.seconds)} on this machine, from earlier runs"
    return (
        f"{plan.total_steps:,} steps ({epochs} of {plan.train_rows:,} rows, "
        f"{params.effective_batch} a step){time}"
    )


def _table(plan: Plan) -> list[str]:
    """Write the parameters in three columns: name, value, reason with its source."""
    rows = [
        (key, as_override(choice.value), _reason(choice)) for key, choice in plan.choices.items()
    ]
    names = max(len(key) for key, _, _ in rows) + 2
    values = max(len(value) for _, value, _ in rows) + 2
    return [
        line
        for key, value, reason in rows
        for line in _hang(f"{key:<{names}}{value}", reason, names + values)
    ]


def _reason(choice: Choice) -> str:
    """Write a reason with its source behind it."""
    return f"{choice.reason} [{choice.source}]" if choice.source else choice.reason


def _finding(finding: Finding) -> list[str]:
    """Write a finding with what to do about it."""
    words = f"{finding.message} {finding.hint}".strip()
    return _hang(f"{finding.level}:", words, _LABEL)


def _hang(label: str, text: str, indent: int) -> list[str]:
    """Write a label and, beside it, a text that is wrapped under itself."""
    wrapped = _wrap(visible(text).split(), WIDTH - indent)
    heads = [f"{label:<{indent}}", *[" " * indent] * (len(wrapped) - 1)]
    return [f"{head}{line}".rstrip() for head, line in zip(heads, wrapped, strict=True)]


def _wrap(words: list[str], width: int) -> list[str]:
    """Fill lines with words; a word longer than a line is broken."""
    lines = [""]
    for piece in itertools.chain.from_iterable(_pieces(word, width) for word in words):
        if not lines[-1]:
            lines[-1] = piece
        elif columns(lines[-1]) + 1 + columns(piece) <= width:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    return lines


def _pieces(word: str, width: int) -> list[str]:
    """Break a word where it fills a line: paths and Chinese sentences have no spaces."""
    pieces = [""]
    for character in word:
        if columns(pieces[-1]) + columns(character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces


def columns(text: str) -> int:
    """Count the terminal columns of a text: East Asian characters take two, marks none."""
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    """Count the columns of one character."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
