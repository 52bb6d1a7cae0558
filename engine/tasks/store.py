"""The task store: TinyDB over a storage that no crash can tear. The engine server alone writes."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from tinydb import TinyDB, where
from tinydb.storages import Storage

from engine.errors import NotFoundError
from engine.files import write_atomic
from engine.tasks.record import TaskRecord

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)


class AtomicStorage(Storage):
    """One JSON file, replaced whole at each write, with one older generation kept beside it.

    TinyDB's own JSON storage writes in place: a kill or a full disk leaves it torn.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._older = path.with_name(path.name + ".old")

    def read(self) -> dict[str, dict[str, Any]] | None:
        """Read the file; the older generation where it is unreadable, which is set aside."""
        for candidate in (self._path, self._older):
            try:
                return dict(json.loads(candidate.read_text(encoding="utf-8")))
            except FileNotFoundError:
                continue
            except (ValueError, TypeError) as error:
                aside = candidate.with_name(candidate.name + ".unreadable")
                log.warning("%s is unreadable (%s); set aside as %s", candidate, error, aside.name)
                candidate.replace(aside)
        return None

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Keep the present generation as the older one and put the new one in its place."""
        if self._path.exists():
            write_atomic(self._older, self._path.read_text(encoding="utf-8"))
        write_atomic(self._path, json.dumps(data, ensure_ascii=False, indent=1))


class TaskStore:
    """One record a task. It changes only when a task's state does, never at a step."""

    def __init__(self, path: Path) -> None:
        self._db = TinyDB(path, storage=AtomicStorage)
        self._table = self._db.table("tasks")
        self._records: dict[str, TaskRecord] = {}
        for document in self._table.all():
            try:
                record = TaskRecord.model_validate(dict(document))
            except ValidationError as error:
                log.warning(
                    "task record %s does not fit and is left out: %s", document.get("id"), error
                )
                continue
            self._records[record.id] = record

    def all(self) -> list[TaskRecord]:
        """List all tasks, newest first."""
        return sorted(self._records.values(), key=lambda task: task.created_at, reverse=True)

    def get(self, task_id: str) -> TaskRecord:
        """Give a task by its exact id.

        Raises:
            NotFoundError: There is none.
        """
        try:
            return self._records[task_id]
        except KeyError:
            raise _no_task(task_id) from None

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._records

    def find(self, reference: str) -> TaskRecord:
        """Find a task by id, by the unambiguous beginning of an id, or by name.

        Raises:
            NotFoundError: None fits, or several do.
        """
        if reference in self._records:
            return self._records[reference]
        if named := self.named(reference):
            return named
        matches = [task for key, task in self._records.items() if key.startswith(reference)]
        if len(matches) == 1 and reference:
            return matches[0]
        if matches and reference:
            ids = ", ".join(task.id for task in matches)
            raise NotFoundError("Which task", f"Several begin with '{reference}': {ids}.")
        raise _no_task(reference)

    def named(self, name: str) -> TaskRecord | None:
        """Give the task of a name; names that differ only in case are one, as some disks see it."""
        wanted = name.casefold()
        return next(
            (task for task in self._records.values() if task.task_name.casefold() == wanted), None
        )

    def put(self, record: TaskRecord) -> TaskRecord:
        """Insert or replace a record, durably."""
        self._table.upsert(record.model_dump(mode="json"), where("id") == record.id)
        self._records[record.id] = record
        return record

    def remove(self, task_id: str) -> None:
        """Remove a record, durably."""
        self.get(task_id)
        self._table.remove(where("id") == task_id)
        del self._records[task_id]


def _no_task(reference: str) -> NotFoundError:
    """Put a missing task into words."""
    return NotFoundError(
        "No such task", f"There is no task '{reference}'.", "List them with: loradeck tasks"
    )
