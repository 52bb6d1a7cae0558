"""Look at a dataset before a run: what it is, what is wrong with its rows, the first of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.detect import detect
from engine.data.faults import FaultyRowError, fault_findings, finding
from engine.data.normalize import normalize
from engine.data.read import RawDataset, read_dataset
from engine.data.types import Finding, Inspection, Shape
from engine.data.words import shown
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.types import Conversation, Message

_PREVIEW_ROWS = 3
_FEW_ROWS = 50


def inspect_dataset(path: Path) -> Inspection:
    """Read and check a dataset; faults of rows become findings.

    Raises:
        LoraDeckError: The file as a whole cannot be used; names the file, the place and the cure.
    """
    return examine(path).inspection


def load_conversations(path: Path) -> list[Conversation]:
    """Read the conversations to train on.

    Raises:
        LoraDeckError: As ``inspect_dataset``, and also where any row has an error.
    """
    examined = examine(path)
    refuse_errors(examined.inspection)
    return examined.conversations


def refuse_errors(inspection: Inspection) -> None:
    """Refuse a dataset with an error finding.

    Raises:
        LoraDeckError: Names the file and the first rows with errors, and what to do.
    """
    errors = [one for one in inspection.findings if one.level == "error"]
    if errors:
        raise LoraDeckError(
            "Dataset has rows that cannot train",
            f"{shown(inspection.path)}: {' '.join(one.message for one in errors)}",
            " ".join(dict.fromkeys(one.hint for one in errors)),
        )


@dataclass(frozen=True)
class Examined:
    """A dataset once each of its rows was looked at."""

    inspection: Inspection
    conversations: list[Conversation]


def examine(path: Path) -> Examined:
    """Read, detect and normalise, once: the one way from a file to conversations.

    Raises:
        LoraDeckError: As ``inspect_dataset``.
    """
    dataset = read_dataset(path)
    dataset_type = detect(dataset)
    shape = Shape(dataset_type=dataset_type, columns={})
    conversations, faults = _normalize_all(dataset, shape)
    findings = [
        *fault_findings(faults),
        *_duplicates(conversations),
        *_few_rows(len(dataset.rows)),
    ]
    inspection = Inspection(
        path=str(path),
        dataset_type=dataset_type,
        rows=len(dataset.rows),
        findings=tuple(findings),
        sha256=dataset.sha256,
        size_bytes=dataset.size_bytes,
        preview=tuple(conversations[:_PREVIEW_ROWS]),
    )
    return Examined(inspection, conversations)


def _normalize_all(
    dataset: RawDataset, shape: Shape
) -> tuple[list[Conversation], dict[int, FaultyRowError]]:
    """Split the rows into those that can train and those with a fault."""
    conversations: list[Conversation] = []
    faults: dict[int, FaultyRowError] = {}
    for number, row in enumerate(dataset.rows, start=1):
        try:
            conversations.append(normalize(row, number, shape))
        except FaultyRowError as fault:
            faults[number] = fault.with_traceback(None)
    return conversations, faults


def _duplicates(conversations: list[Conversation]) -> list[Finding]:
    """Warn of rows that say exactly what an earlier row says."""
    seen: set[tuple[Message, ...]] = set()
    repeated = []
    for conversation in conversations:
        if conversation.messages in seen:
            repeated.append(conversation.row)
        seen.add(conversation.messages)
    if not repeated:
        return []
    hint = "Delete the copies, unless they are meant to weigh more."
    return [finding("warning", "duplicate", repeated, "repeating an earlier row", hint)]


def _few_rows(count: int) -> list[Finding]:
    """Note that a short dataset is learnt by heart rather than generalised from."""
    if count >= _FEW_ROWS:
        return []
    message = f"The dataset has only {count} row{'s' if count > 1 else ''}."
    hint = "The model will know them by heart: good for a few facts; a skill wants hundreds."
    return [
        Finding(level="note", code="few-rows", message=message, hint=hint, count=count, rows=())
    ]
