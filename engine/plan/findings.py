"""What the user should know of a plan, beside its numbers; and what refuses the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.data.held_out import held_out, overlaps
from engine.data.types import Finding, Lengths, Level, is_few
from engine.errors import DiskFullError, LoraDeckError
from engine.plan.nearest import nearest, smaller_model
from engine.plan.parameters import as_override
from engine.text import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.models.types import ModelInfo
    from engine.plan.fit import Need
    from engine.plan.parameters import TrainingParams
    from engine.plan.types import Memory, Plan

_SHOWN_ROWS = 10


def finding(level: Level, code: str, message: str, hint: str = "", count: int = 0) -> Finding:
    """Make a finding about the plan as a whole: it names no rows."""
    return Finding(level=level, code=code, message=message, hint=hint, count=count, rows=())


def cut(lengths: Lengths, limit: int) -> tuple[int, int]:
    """Count the measured rows over a length, and the tokens that it cuts from them."""
    over = [count - limit for count in lengths.counts if count > limit]
    return len(over), sum(over)


def cut_finding(need: Need, params: TrainingParams) -> list[Finding]:
    """Warn of rows that lose their end."""
    lengths, limit = need.lengths, params.max_seq_length
    rows, tokens = cut(lengths, limit)
    if not rows:
        return []
    words = (
        f"{rows:,} of {lengths.measured:,} measured rows {'is' if rows == 1 else 'are'} longer "
        f"than {limit:,} tokens and would be cut: {tokens:,} of {lengths.total:,} tokens lost."
    )
    return [finding("warning", "rows-cut", words, _keeping_all(need, params), rows)]


def unanswered_finding(need: Need, params: TrainingParams) -> list[Finding]:
    """Refuse a length at which rows keep no token of their answers."""
    limit = params.max_seq_length
    rows = need.unanswered(limit)
    if not rows:
        return []
    shown = ", ".join(map(str, rows[:_SHOWN_ROWS])) + (" …" if len(rows) > _SHOWN_ROWS else "")
    words = f"Cut to {limit:,} tokens, {len(rows):,} rows keep nothing of their answer: {shown}."
    return [finding("error", "answers-cut", words, "Set a larger max_seq_length.", len(rows))]


def _keeping_all(need: Need, params: TrainingParams) -> str:
    """Say what would keep every row whole."""
    longest = need.lengths.longest
    if longest > need.shape.context:
        return f"The model reads {need.shape.context:,} tokens; split the longer rows."
    memory = need.memory(params.model_copy(update={"max_seq_length": longest}))
    if memory.fits:
        return f"To keep all: --set max_seq_length={longest}"
    return f"To keep all, {human_bytes(memory.total)} of memory would have to be free."


def overlap_finding(keys: Sequence[int], params: TrainingParams) -> list[Finding]:
    """Warn where too few rows are unlike all others to hold out rows that none repeats.

    Args:
        keys: A key for each row that can train, in order: equal where rows say the same.
    """
    chosen = held_out(keys, params.eval_rows, params.seed)
    count = overlaps(keys, chosen)
    if not count:
        return []
    words = (
        f"{count:,} of {len(chosen):,} held-out rows say the same as a row that is trained: "
        "the loss on them will flatter."
    )
    return [finding("warning", "eval-overlap", words, "Delete the repeated rows.", count)]


def memory_finding(
    need: Need, params: TrainingParams, memory: Memory, models: Sequence[ModelInfo]
) -> list[Finding]:
    """Refuse a run that does not fit, and name the nearest one that would."""
    if memory.fits:
        return []
    words = f"The run needs {human_bytes(memory.total)}, and {human_bytes(memory.free)} are free."
    changes = nearest(need, params)
    hints = [f"It would fit with: {_settings(changes)}"] if changes else []
    if smaller := smaller_model(need, params, models):
        also = "Or choose" if changes else "No setting helps; choose"
        hints.append(f"{also} a smaller model: {smaller.name}")
    elif not changes:
        hints.append("No setting helps; choose a smaller model, or split long rows.")
    return [finding("error", "memory", words, ". ".join(hints))]


def weights_finding(model: ModelInfo) -> list[Finding]:
    """Refuse to train a model that is known by its configuration alone."""
    if model.state == "ready":
        return []
    words = f"This plan can be made, but not carried out: of {model.name} the weights are not here."
    return [finding("error", "weights", words, "Fetch the model whole before you train it.")]


def disk_finding(needed: int, free: int) -> list[Finding]:
    """Refuse a run whose checkpoints would fill the disk."""
    if needed <= free:
        return []
    words = f"Checkpoints and adapter take {human_bytes(needed)}, {human_bytes(free)} are free."
    return [finding("error", "disk", words, "Free some room, or set a lower lora_rank.")]


def refuse_impossible(plan: Plan) -> None:
    """Refuse a plan that cannot run.

    Raises:
        DiskFullError: The disk is too small for its checkpoints.
        LoraDeckError: It was made for a device that is not here, it does not fit in memory, or
            another finding is an error.
    """
    if plan.device.hypothetical:
        raise LoraDeckError(
            "Device not here",
            f"The plan is for {plan.device.name}, which this run would not compute on.",
            "Leave the device out to train on what this machine has.",
        )
    for found in plan.findings:
        if found.level == "error":
            if found.code == "disk":
                raise DiskFullError("Too little disk", found.message, found.hint)
            title = "Not enough memory" if found.code == "memory" else "This cannot be trained"
            raise LoraDeckError(title, found.message, found.hint)


def leave_out(found: Iterable[Finding], rows: int, *, asked: bool) -> list[Finding]:
    """Turn errors of few rows, or of those the user wants left out, into warnings that say so.

    Args:
        found: About rows; an error without a count concerns the whole dataset and stays.
        rows: How many rows were looked at.
        asked: Whether the user wants faulty rows left out however many they are.
    """
    found = list(found)
    faulty = sum(one.count for one in found if one.level == "error")
    if not faulty or faulty >= rows or not (asked or is_few(faulty, rows)):
        return found
    return [_left_out(one) if one.level == "error" and one.count else one for one in found]


def _left_out(found: Finding) -> Finding:
    """Say of a finding that its rows are left out."""
    words = f"{found.message} Left out of the training."
    return found.model_copy(update={"level": "warning", "message": words})


def _settings(changes: dict[str, Any]) -> str:
    """Write changes as the command line takes them."""
    return " ".join(f"--set {key}={as_override(value)}" for key, value in changes.items())
