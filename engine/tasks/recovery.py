"""Rebuilds the store from the task folders, where the newest generation of its file is lost."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.files import read_plain, set_aside, write_atomic
from engine.language import tr
from engine.plan.types import PLAN, Plan
from engine.tasks.events import AdapterSaved, TaskCompleted, TaskFailed
from engine.tasks.folding import fold_journal, last_event
from engine.tasks.record import Status, TaskRecord, check_task_name
from engine.tasks.storage import decode
from engine.train.worker import worker_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.home import Home
    from engine.tasks.quarantine import Sorted

log = logging.getLogger(__name__)
COPY = "task.json"
"""A task's record in its own folder, written before the store's file is."""


def write_copy(folder: Path, document: dict[str, Any]) -> None:
    """Keep a record in its task's folder too; nowhere where the user has removed the folder."""
    if folder.is_dir():
        if (folder / COPY).is_dir():
            set_aside(folder / COPY)  # or no state of this task could be stored any more
        write_atomic(folder / COPY, json.dumps(document, ensure_ascii=False, indent=1))


def read_copy(folder: Path) -> Any:
    """Read what a task's folder keeps of its record; ``None`` where that is not readable."""
    path = folder / COPY
    try:
        document = decode(read_plain(path))
        if _is_of(document, folder.name):
            return document
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("%s: %s", path, error)
    return None


def recover_misfits(home: Home, found: Sorted) -> None:
    """Take records that were damaged in the store's file from their folders."""
    for task_id in {one.task_id for one in found.misfits} - found.records.keys():
        if task_id.isalnum() and (document := read_copy(home.task(task_id))):
            found.take(document)


def recover(home: Home, found: Sorted) -> None:
    """Bring an older generation, or nothing, up to date from the task folders."""
    for folder in _folders(home):
        copy = read_copy(folder)
        if copy:
            found.take(copy, newer=True)
        elif folder.name in found.records:
            record = _caught_up(found.records[folder.name], folder)
            found.take(record.model_dump(mode="json"), newer=True)
        elif folder.name in {one.task_id for one in found.misfits}:
            continue
        elif record_of_plan := _from_plan(home, folder):
            found.take(record_of_plan.model_dump(mode="json"))
    if found.records:
        log.warning("the store was rebuilt from the task folders: %s tasks", len(found.records))


def _folders(home: Home) -> Iterator[Path]:
    """List the task folders; those of removed tasks begin with a dot."""
    for folder in sorted(home.tasks.iterdir()) if home.tasks.is_dir() else ():
        if folder.is_dir() and not folder.name.startswith("."):
            yield folder


def _is_of(document: Any, task_id: str) -> bool:
    """Tell whether a document is about a task."""
    return isinstance(document, dict) and document.get("id") == task_id


def _caught_up(record: TaskRecord, folder: Path) -> TaskRecord:
    """Let the scheduler settle a task that went on after its record was written."""
    if worker_of(folder) is not None or (not record.status.ended and _came_to_an_end(folder)):
        return record.model_copy(update={"status": Status.RUNNING, "completed_at": None})
    return record


def _came_to_an_end(folder: Path) -> bool:
    """Tell whether a task's journal says how it ended."""
    try:
        outcome = fold_journal(folder)[1].outcome
    except LoraDeckError as error:
        log.warning("%s", error)
        return False
    return isinstance(outcome, TaskCompleted | TaskFailed)


def _from_plan(home: Home, folder: Path) -> TaskRecord | None:
    """Make a record from a task's plan and journal; it does not go on by itself.

    Whether it was cancelled, the plan does not tell.
    """
    try:
        plan = Plan.load(folder)
        made = datetime.fromtimestamp((folder / PLAN).stat().st_mtime, UTC)
    except (OSError, ValueError) as error:
        log.warning("%s is left alone, no record can be made of it: %s", folder, error)
        return None
    name = _saved_name(folder) or f"recovered-{folder.name}"
    went_on = worker_of(folder) is not None or _came_to_an_end(folder)
    return TaskRecord(
        id=folder.name,
        task_name=name,
        base_model=plan.base_model,
        dataset_file=plan.dataset_file,
        dataset_type=plan.dataset.dataset_type,
        output_path=str(home.adapter(name)),
        training_params=plan.training_params.model_dump(mode="json"),
        status=Status.RUNNING if went_on else Status.PAUSED,
        message=tr("Its record was lost; this one was made from its plan and its journal."),
        created_at=made,
    )


def _saved_name(folder: Path) -> str:
    """Find the name under which a task's adapter was saved; empty where none was."""
    try:
        saved = last_event(folder, "adapter_saved")
        return check_task_name(Path(saved.path).name) if isinstance(saved, AdapterSaved) else ""
    except LoraDeckError:
        return ""
