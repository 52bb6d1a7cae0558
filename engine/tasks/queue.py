"""The order in which pending tasks start: by priority, then by place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.tasks.record import TaskRecord

Where = Literal["up", "down", "first", "last"]


def in_order(tasks: Iterable[TaskRecord]) -> list[TaskRecord]:
    """Sort tasks by when they are to start."""
    return sorted(tasks, key=turn)


def turn(task: TaskRecord) -> tuple[int, float]:
    """Give what tasks are sorted by: the higher priority, then the lower place."""
    return -task.priority, place(task)


def place(task: TaskRecord) -> float:
    """Give a task's place among those of its priority: its age, until it is moved."""
    return task.created_at.timestamp() if task.place is None else task.place


def moved(tasks: Iterable[TaskRecord], task: TaskRecord, where: Where) -> list[TaskRecord]:
    """Move a task among those of its priority; the places stay, the tasks change them.

    Returns:
        The tasks that have another place now.
    """
    peers = in_order(one for one in tasks if one.priority == task.priority)
    places = [place(one) for one in peers]
    at = next(index for index, one in enumerate(peers) if one.id == task.id)
    to = {"up": at - 1, "down": at + 1, "first": 0, "last": len(peers)}[where]
    peers.insert(max(0, to), peers.pop(at))
    return [
        one.model_copy(update={"place": there})
        for one, there in zip(peers, places, strict=True)
        if place(one) != there
    ]
