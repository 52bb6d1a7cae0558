"""What the user should know of a plan, beside its numbers; and what refuses the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.data.held_out import held_out, overlaps
from engine.data.types import Finding, Lengths, Level, is_few
from engine.errors import DiskFullError, LoraDeckError
from engine.language import listed, tr, trn
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
    words = trn(
        "{count:,} of {measured:,} measured rows is longer than {limit:,} tokens "
        "and would be cut: {tokens:,} of {total:,} tokens lost.",
        "{count:,} of {measured:,} measured rows are longer than {limit:,} tokens "
        "and would be cut: {tokens:,} of {total:,} tokens lost.",
        rows,
        measured=lengths.measured,
        limit=limit,
        tokens=tokens,
        total=lengths.total,
    )
    return [finding("warning", "rows-cut", words, _keeping_all(need, params), rows)]


def unanswered_finding(need: Need, params: TrainingParams) -> list[Finding]:
    """Refuse a length at which rows keep no token of their answers."""
    limit = params.max_seq_length
    rows = need.unanswered(limit)
    if not rows:
        return []
    shown = listed(map(str, rows[:_SHOWN_ROWS])) + (" …" if len(rows) > _SHOWN_ROWS else "")
    words = tr(
        "Cut to {limit:,} tokens, {rows:,} rows keep nothing of their answer: {shown}.",
        limit=limit,
        rows=len(rows),
        shown=shown,
    )
    return [finding("error", "answers-cut", words, tr("Set a larger max_seq_length."), len(rows))]


def _keeping_all(need: Need, params: TrainingParams) -> str:
    """Say what would keep every row whole."""
    longest = need.lengths.longest
    if longest > need.shape.context:
        return tr(
            "The model reads {context:,} tokens; split the longer rows.", context=need.shape.context
        )
    memory = need.memory(params.model_copy(update={"max_seq_length": longest}))
    if memory.fits:
        return tr("To keep all: --set max_seq_length={longest}", longest=longest)
    return tr(
        "To keep all, {total} of memory would have to be free.", total=human_bytes(memory.total)
    )


def overlap_finding(keys: Sequence[int], params: TrainingParams) -> list[Finding]:
    """Warn where too few rows are unlike all others to hold out rows that none repeats.

    Args:
        keys: A key for each row that can train, in order: equal where rows say the same.
    """
    chosen = held_out(keys, params.eval_rows, params.seed)
    count = overlaps(keys, chosen)
    if not count:
        return []
    words = tr(
        "{count:,} of {chosen:,} held-out rows say the same as a row that is "
        "trained: the loss on them will flatter.",
        count=count,
        chosen=len(chosen),
    )
    return [finding("warning", "eval-overlap", words, tr("Delete the repeated rows."), count)]


def memory_finding(
    need: Need, params: TrainingParams, memory: Memory, models: Sequence[ModelInfo]
) -> list[Finding]:
    """Refuse a run that does not fit, and name the nearest one that would."""
    if memory.fits:
        return []
    words = tr(
        "The run needs {total}, and {free} are free.",
        total=human_bytes(memory.total),
        free=human_bytes(memory.free),
    )
    changes = nearest(need, params)
    hints = [tr("It would fit with: {settings}", settings=_settings(changes))] if changes else []
    if smaller := smaller_model(need, params, models):
        name = smaller.name
        hints.append(
            tr("Or choose a smaller model: {name}", name=name)
            if changes
            else tr("No setting helps; choose a smaller model: {name}", name=name)
        )
    elif not changes:
        hints.append(tr("No setting helps; choose a smaller model, or split long rows."))
    return [finding("error", "memory", words, ". ".join(hints))]


def weights_finding(model: ModelInfo) -> list[Finding]:
    """Refuse to train a model that is known by its configuration alone."""
    if model.state == "ready":
        return []
    words = tr(
        "This plan can be made, but not carried out: of {name} the weights are not here.",
        name=model.name,
    )
    return [finding("error", "weights", words, tr("Fetch the model whole before you train it."))]


def disk_finding(needed: int, free: int) -> list[Finding]:
    """Refuse a run whose checkpoints would fill the disk."""
    if needed <= free:
        return []
    words = tr(
        "Checkpoints and adapter take {needed}, {free} are free.",
        needed=human_bytes(needed),
        free=human_bytes(free),
    )
    return [finding("error", "disk", words, tr("Free some room, or set a lower lora_rank."))]


def refuse_impossible(plan: Plan) -> None:
    """Refuse a plan that cannot run.

    Raises:
        DiskFullError: The disk is too small for its checkpoints.
        LoraDeckError: It does not fit in memory, or another finding is an error.
    """
    for found in plan.findings:
        if found.level == "error":
            if found.code == "disk":
                raise DiskFullError(tr("Too little disk"), found.message, found.hint)
            title = tr("This cannot be trained")
            if found.code == "memory":
                title = tr("Not enough memory")
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
    words = tr("{words} Left out of the training.", words=found.message)
    return found.model_copy(update={"level": "warning", "message": words})


def _settings(changes: dict[str, Any]) -> str:
    """Write changes as the command line takes them."""
    return " ".join(
        tr("--set {key}={value}", key=key, value=as_override(value))
        for key, value in changes.items()
    )
