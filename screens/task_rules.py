"""Which actions a task's state allows, and what was asked of it already."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.tasks.view import TaskView

WAITING = ("pending", "paused")
_ASKED_OF_RUNNING = {
    "": frozenset({"pause", "finish", "cancel"}),
    "pause": frozenset({"resume", "cancel"}),
    "finish": frozenset({"cancel"}),
    "cancel": frozenset[str](),
    "discard": frozenset[str](),
}
_OF_STATE = {
    "pending": frozenset({"hold", "reorder", "prioritize", "finish", "cancel", "start_now"}),
    "paused": frozenset({"resume", "prioritize", "finish", "cancel", "start_now"}),
    "completed": frozenset({"chat", "report", "export", "deploy", "further", "copy_path",
                            "delete_completed", "worker_log_of_completed"}),
    "failed": frozenset({"resume", "delete"}),
    "cancelled": frozenset({"resume", "delete"}),
}  # fmt: skip
ACTIONS = frozenset[str]().union(*_OF_STATE.values(), *_ASKED_OF_RUNNING.values())
"""All that depends on a task's state."""


def allowed(view: TaskView) -> frozenset[str]:
    """Name the actions that a task's state allows, and what was asked of it already."""
    task = view.task
    if task.status == "running":
        actions = _ASKED_OF_RUNNING[task.requested]
    else:
        actions = _OF_STATE[task.status]
    if task.requested == "finish" or not has_learnt(view):
        return actions - {"finish"}
    return actions


def has_learnt(view: TaskView) -> bool:
    """Tell whether a task has trained a step that would be lost with it."""
    return view.step > 0 or view.task.resume_step > 0
