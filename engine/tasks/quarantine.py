"""Records that do not fit: kept beside the tasks, tried again at each start, never dropped."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import LoraDeckError
from engine.tasks.record import TaskRecord, check_task_name
from engine.tasks.storage import TASKS
from engine.text import visible

if TYPE_CHECKING:
    from engine.tasks.storage import Tables

log = logging.getLogger(__name__)
QUARANTINE = "quarantine"
"""The table's name in the store's file."""
_NOT_MADE_UP = ("id", "status", "created_at")


class Misfit(BaseModel):
    """A record that this program cannot use, such as one of a newer version."""

    model_config = ConfigDict(frozen=True, extra="allow")

    document: Any
    """As it was found."""
    reason: str = ""

    @property
    def task_id(self) -> str:
        """The id of its task; empty where it has none."""
        found = self.document.get("id", "") if isinstance(self.document, dict) else ""
        return found if isinstance(found, str) else ""


def read_record(document: object) -> TaskRecord:
    """Read a record, and make sure that what it names cannot lead out of the home.

    Raises:
        ValueError: It does not fit, in words.
    """
    # What a new task gets by itself must not be made up for one that has lost it
    missing = [key for key in _NOT_MADE_UP if isinstance(document, dict) and key not in document]
    if missing:
        raise ValueError(f"{missing[0]}: missing")
    try:
        record = TaskRecord.model_validate(document)
        fits = check_task_name(record.task_name) == record.task_name
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(visible(f"{place}: {first['msg']}")[:200]) from error
    except LoraDeckError as error:
        raise ValueError(f"task_name: {error.message}"[:200]) from error
    if not fits:
        raise ValueError("task_name: surrounded by blanks, or not in its normal form")
    if not (record.id.isascii() and record.id.isalnum() and len(record.id) <= 64):
        raise ValueError("id: no name of a task's folder")
    if record.created_at.tzinfo is None:
        raise ValueError("created_at: without a time zone")
    return record


def misfits_in(tables: Tables) -> list[Misfit]:
    """List the quarantined records; an entry of another form is one itself."""
    table: Any = tables.get(QUARANTINE, {})
    entries = list(table.values()) if isinstance(table, dict) else [table]
    return [
        Misfit.model_validate(entry)
        if isinstance(entry, dict) and "document" in entry and isinstance(entry.get("reason"), str)
        else Misfit(document=entry)
        for entry in entries
    ]


class Sorted:
    """The records of a store: what fits by its id, and what does not."""

    def __init__(self) -> None:
        self.records: dict[str, TaskRecord] = {}
        self.documents: dict[str, Any] = {}
        """Of each record, as it is stored."""
        self.misfits: list[Misfit] = []

    @classmethod
    def out_of(cls, tables: Tables) -> Sorted:
        """Read all records of a store's tables; those in quarantine are tried again."""
        found = cls()
        for document in tables.get(TASKS, {}).values():
            found.take(document)
        for misfit in misfits_in(tables):
            found.take(misfit.document)
        return found

    def take(self, document: Any, *, newer: bool = False) -> None:
        """Sort one document in; of two with the same id the first is kept, or the newer."""
        try:
            record = read_record(document)
        except ValueError as error:
            self._keep_apart(document, str(error))
            return
        if record.id in self.records and not newer:
            self._keep_apart(document, "id: another task has it")
            return
        self.records[record.id] = record
        self.documents[record.id] = document

    def _keep_apart(self, document: Any, reason: str) -> None:
        """Put a document into quarantine, once."""
        if all(document != one.document for one in self.misfits):
            log.warning("a task's record does not fit and is kept apart: %s", reason)
            self.misfits.append(Misfit(document=document, reason=reason))

    def tables(self) -> Tables:
        """Write what was found as tables."""
        kept = {str(number): one.model_dump() for number, one in enumerate(self.misfits, 1)}
        tasks = {str(number): one for number, one in enumerate(self.documents.values(), 1)}
        return {TASKS: tasks} | ({QUARANTINE: kept} if kept else {})
