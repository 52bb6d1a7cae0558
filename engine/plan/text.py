"""A plan as plain text, for the command line and for logs: at most 80 columns."""

from __future__ import annotations

import itertools
import unicodedata
from typing import TYPE_CHECKING

from engine.data.shapes import describe_shape
from engine.language import listed, mark, tr, trn
from engine.plan.parameters import as_override
from engine.plan.presets import find_preset
from engine.text import human_bytes, human_count, human_duration, visible

if TYPE_CHECKING:
    from engine.data.types import Finding
    from engine.plan.types import Choice, Plan

WIDTH = 80
_LABEL = 10
_CHOSEN = mark("chosen by you")


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
    return [
        (tr("dataset"), _dataset(plan)),
        *_mapping(plan),
        (tr("tokens"), _tokens(plan)),
        (tr("model"), _model(plan)),
        (tr("device"), _device(plan)),
        (tr("memory"), _memory(plan)),
        (tr("disk"), _sum(plan.disk_parts, plan.disk_needed, plan.disk_free)),
        *([(tr("starts from"), visible(plan.adapter))] if plan.adapter else []),
        *([(tr("preset"), _preset(plan.preset))] if plan.preset else []),
        (tr("run"), _run(plan)),
    ]


def _dataset(plan: Plan) -> str:
    """Name the dataset, with what it is and how long."""
    dataset = plan.dataset
    told = {"file": plan.dataset_file, "kind": dataset.dataset_type, "rows": dataset.rows}
    if not dataset.faulty:
        return tr("{file} ({kind}, {rows:,} rows)", **told)
    return tr("{file} ({kind}, {rows:,} rows, {faulty:,} left out)", faulty=dataset.faulty, **told)


def _memory(plan: Plan) -> str:
    """Show the memory as a sum, and whether a measured step stands behind it."""
    memory = plan.memory
    words = _sum(memory.parts, memory.total, memory.free)
    if not memory.measured:
        return words
    return tr("{sum}; corrected by a step measured on this machine", sum=words)


def _sum(parts: dict[str, int], total: int, free: int) -> str:
    """Write what is needed beside what is free, and as the sum of its parts."""
    told = {"needed": human_bytes(total), "free": human_bytes(free)}
    summed = " + ".join(f"{tr(name)} {human_bytes(size)}" for name, size in parts.items() if size)
    if not summed:
        return tr("{needed} needed, {free} free", **told)
    return tr("{needed} needed, {free} free: {sum}", sum=summed, **told)


def _preset(name: str) -> str:
    """Name the preset, and what it is."""
    preset = find_preset(name)
    return tr("{name}: {words}", name=name, words=tr(preset.description)) if preset else name


def _mapping(plan: Plan) -> list[tuple[str, str]]:
    """Say which column is which, where their names had to be interpreted."""
    shape = plan.dataset.shape
    return [(tr("columns"), describe_shape(shape))] if shape is not None and shape.guessed else []


def _tokens(plan: Plan) -> str:
    """Say how long the rows are, and what is trained of them."""
    lengths = plan.lengths
    told = dict(lengths)
    if not lengths.error:
        return tr(
            "{estimated_total:,}, {estimated_trained:,} of them trained; a row has {p50:,} (median)"
            " to {longest:,}",
            **told,
        )
    return tr(
        "about {estimated_total:,} (± {error:.1%}, from {measured:,} of {rows:,} rows), about"
        " {estimated_trained:,} of them trained; a row has {p50:,} (median) to {longest:,}",
        **told,
    )


def _model(plan: Plan) -> str:
    """Name the base model with its size."""
    shape = plan.model.shape
    if shape is None:
        return plan.base_model
    return tr(
        "{name} ({architecture}, {count} parameters)",
        name=plan.base_model,
        architecture=shape.architecture,
        count=human_count(shape.parameters),
    )


def _device(plan: Plan) -> str:
    """Name the device, with what it can do."""
    device = plan.device
    if device.kind == "cpu":
        why = tr(_CHOSEN) if device.chosen else tr("no GPU")
        cores = trn("{count} core", "{count} cores", device.cores)
        told = {"name": device.name, "cores": cores, "features": listed(device.features)}
        if device.features:
            return tr("{name}, {cores} with {features} ({why})", **told, why=why)
        return tr("{name}, {cores} ({why})", **told, why=why)
    facts = [human_bytes(device.memory_total)]
    if device.capability:
        number = "{}.{}".format(*device.capability)
        facts.append(tr("compute capability {number}", number=number))
    if device.hypothetical:
        facts.append(tr("not in this machine"))
    if device.chosen:
        facts += [tr("card {number}", number=device.index), tr(_CHOSEN)]
    return tr("{name} ({facts})", name=device.name, facts=listed(facts))


def _run(plan: Plan) -> str:
    """Say how much there is to do."""
    params = plan.training_params
    epochs = trn("{count} epoch", "{count} epochs", params.num_epochs)
    if params.max_steps > 0:
        epochs = f"max_steps={params.max_steps}"
    words = tr(
        "{steps:,} steps ({epochs} of {rows:,} rows, {batch} a step)",
        steps=plan.total_steps,
        epochs=epochs,
        rows=plan.train_rows,
        batch=params.effective_batch,
    )
    if plan.seconds is None:
        return words
    time = human_duration(plan.seconds)
    return tr("{run}; about {time} on this machine, from earlier runs", run=words, time=time)


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
    return _hang(tr("{level}:", level=tr(finding.level)), words, _LABEL)


def _hang(label: str, text: str, indent: int) -> list[str]:
    """Write a label and, beside it, a text that is wrapped under itself."""
    wrapped = _wrap(visible(text).split(), WIDTH - indent)
    head = label + " " * (indent - columns(label))
    heads = [head, *[" " * indent] * (len(wrapped) - 1)]
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
