"""Deleting ended tasks, once the user has confirmed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import tr, trn
from engine.text import some
from screens.dialogs import ConfirmDialog
from screens.format import one_line
from screens.layers import ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.widget import Widget

    from engine.tasks.record import TaskRecord
    from screens.session import Session

_NAMED = 3


async def delete_tasks(asker: Widget, session: Session, tasks: Sequence[TaskRecord]) -> None:
    """Ask once, and delete the tasks one after the other."""
    if await ask(asker, _question(tasks)):
        for task in tasks:
            await session.client.delete(task.id)


def _question(tasks: Sequence[TaskRecord]) -> ConfirmDialog:
    """Ask whether tasks are to be deleted, and name them."""
    if len(tasks) == 1:
        return ConfirmDialog(
            tr("Delete the task?"),
            tr("'{name}' goes with its log and checkpoints. A finished adapter stays.",
               name=one_line(tasks[0].task_name)),
            yes=tr("Delete it"), no=tr("Keep it"),
        )  # fmt: skip
    names = some([f"'{one_line(task.task_name)}'" for task in tasks], _NAMED)
    return ConfirmDialog(
        trn("Delete {count:,} task?", "Delete {count:,} tasks?", len(tasks)),
        tr("{names} go with their logs and checkpoints. Finished adapters stay.", names=names),
        yes=tr("Delete them"), no=tr("Keep them"),
    )  # fmt: skip
