"""Look at a dataset before a run: what it is, what is wrong with its rows, the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.containers.source import open_source
from engine.data.faults import FaultyRowError
from engine.data.normalize import normalizer
from engine.data.scan import Scan
from engine.data.words import shown
from engine.errors import LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from engine.data.types import Conversation, Inspection, Shape


def inspect_dataset(path: Path, mapping: Mapping[str, str] | None = None) -> Inspection:
    """Read and check a dataset; faults of rows become findings.

    Reads the whole file in this process: in the server, use ``inspect_in_process``.

    Args:
        path: A file or folder.
        mapping: Which column holds which field, where the user said so.

    Raises:
        LoraDeckError: The file as a whole cannot be used; names the file, the place and the cure.
    """
    for step in Scan(path, mapping).steps():
        if step.inspection is not None:
            return step.inspection
    raise AssertionError("a scan ends with an inspection")


def conversations(
    path: Path, shape: Shape, faults: Callable[[int, FaultyRowError], None] | None = None
) -> Iterator[Conversation]:
    """Stream the rows that can train, in order.

    Args:
        path: A file or folder.
        shape: How its rows are read: an inspection's.
        faults: Is told the number and the fault of each row that is left out.

    Raises:
        LoraDeckError: The file cannot be read, or not any further.
    """
    normalize = normalizer(shape)
    for number, row in enumerate(open_source(path).rows(), start=1):
        try:
            if isinstance(row, FaultyRowError):
                raise row
            conversation = normalize(row, number)
        except FaultyRowError as fault:
            if faults is not None:
                faults(number, fault.with_traceback(None))
            continue
        yield conversation


def load_conversations(path: Path, mapping: Mapping[str, str] | None = None) -> list[Conversation]:
    """Read the conversations to train on, all at once: for small files and tests.

    Raises:
        LoraDeckError: As ``inspect_dataset``, and where ``refuse_errors`` refuses.
    """
    inspection = inspect_dataset(path, mapping)
    refuse_errors(inspection)
    assert inspection.shape is not None  # noqa: S101 - every scan sets it
    return list(conversations(path, inspection.shape))


def refuse_errors(inspection: Inspection, leave_out: bool = False) -> None:
    """Refuse a dataset with more faulty rows than are left out without a word.

    Args:
        inspection: What was found.
        leave_out: Whether the user wants faulty rows left out however many they are.

    Raises:
        LoraDeckError: Names the file and the first rows with errors, and what to do.
    """
    if inspection.can_train or (leave_out and inspection.faulty < inspection.rows):
        return
    errors = [one for one in inspection.findings if one.level == "error"]
    raise LoraDeckError(
        tr("Dataset has rows that cannot train"),
        f"{shown(inspection.path)}: {' '.join(one.message for one in errors)}",
        " ".join(dict.fromkeys(one.hint for one in errors)),
    )
