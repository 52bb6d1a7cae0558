"""The task store: TinyDB over a storage that no crash can tear. The engine server alone writes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from tinydb import TinyDB, where
from tinydb.table import Document

from engine.errors import NotFoundError
from engine.language import listed, tr
from engine.tasks.quarantine import QUARANTINE, Misfit, Sorted
from engine.tasks.recovery import recover, recover_misfits, write_copy
from engine.tasks.storage import TASKS, AtomicStorage

if TYPE_CHECKING:
    from pathlib import Path

    from engine.home import Home
    from engine.tasks.record import TaskRecord

log = logging.getLogger(__name__)


class TaskStore:
    """One record a task. It changes only when a task's state does, never at a step.

    Raises:
        LoraDeckError: The home's records are there and may not be read.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._db = TinyDB(home.store_file, storage=AtomicStorage)
        self._table = self._db.table(TASKS)
        found = self._open(cast("AtomicStorage", self._db.storage))
        self._records = found.records
        self._numbers = {task_id: number for number, task_id in enumerate(found.documents, 1)}
        self._listed: tuple[TaskRecord, ...] | None = None
        self.misfits = tuple(found.misfits)
        """Records in quarantine."""

    def _open(self, storage: AtomicStorage) -> Sorted:
        """Read the store, and mend what can be mended; looks into task folders only for that."""
        tables = storage.read()
        found = Sorted.out_of(tables)
        if not storage.complete:
            recover(self._home, found)
        elif found.misfits:
            recover_misfits(self._home, found)
        mended = {name: tables[name] for name in tables if name != QUARANTINE} | found.tables()
        # Numbers are given anew; for them alone nothing needs to be written
        changed = mended.get(QUARANTINE) != tables.get(QUARANTINE) or not storage.complete
        storage.hold(mended)
        if changed and (found.records or found.misfits):
            try:
                storage.write(mended)
            except OSError as error:
                log.warning("%s: what was mended is not stored yet", error)
        return found

    def all(self) -> list[TaskRecord]:
        """List all tasks, newest first."""
        if self._listed is None:  # the scheduler asks again and again
            newest = sorted(self._records.values(), key=lambda task: task.created_at, reverse=True)
            self._listed = tuple(newest)
        return list(self._listed)

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
            ids = listed(task.id for task in matches)
            raise NotFoundError(
                tr("Which task"),
                tr("Several begin with '{reference}': {ids}.", reference=reference, ids=ids),
            )
        raise _no_task(reference)

    def named(self, name: str) -> TaskRecord | None:
        """Give the task of a name; names that differ only in case are one, as some disks see it."""
        wanted = name.casefold()
        return next(
            (task for task in self._records.values() if task.task_name.casefold() == wanted), None
        )

    def put(self, record: TaskRecord) -> TaskRecord:
        """Insert or replace a record, durably.

        Raises:
            OSError: It could not be written; the store is as it was.
        """
        document = record.model_dump(mode="json")
        write_copy(self._home.task(record.id), document)
        if number := self._numbers.get(record.id):
            self._table.update(document, doc_ids=[number])
        else:
            number = max(self._numbers.values(), default=0) + 1
            self._numbers[record.id] = self._table.insert(Document(document, number))
        self._records[record.id] = record
        self._listed = None
        return record

    def remove(self, task_id: str) -> Path:
        """Remove a record, durably; its folder, renamed, is given back to be deleted.

        The new name keeps a folder that is half deleted from being taken for a task.
        """
        self.get(task_id)
        self._release(task_id)
        self._table.remove(doc_ids=[self._numbers[task_id]])
        del self._records[task_id], self._numbers[task_id]
        self._listed = None
        folder, removed = self._home.task(task_id), self._home.removed_task(task_id)
        try:
            folder.rename(removed)
        except OSError as error:
            log.warning("%s keeps its name: %s", folder, error)
            return folder
        return removed

    def _release(self, task_id: str) -> None:
        """Drop what quarantine holds of a task, or it would come back with the next start."""
        if any(one.task_id == task_id for one in self.misfits):
            self.misfits = tuple(one for one in self.misfits if one.task_id != task_id)
            self._db.table(QUARANTINE).remove(
                where("document").test(lambda found: Misfit(document=found).task_id == task_id)
            )


def _no_task(reference: str) -> NotFoundError:
    """Put a missing task into words."""
    return NotFoundError(
        tr("No such task"),
        tr("There is no task '{reference}'.", reference=reference),
        tr("List them with: loradeck tasks"),
    )
