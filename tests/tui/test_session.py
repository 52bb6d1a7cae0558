"""What the dashboard holds of a home's tasks, as the engine tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.tasks.view import TasksUpdate, TaskView
from screens.session import Session
from tests.tui.fake_engine import running, task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def ended(number: int) -> TaskView:
    """Make a completed task."""
    return TaskView(task=task(f"run-{number}", "completed", number))


def _told(session: Session, *updates: TasksUpdate) -> tuple[Sequence[str], Sequence[str]]:
    """Apply updates, and give what they changed and removed."""
    message = session.apply(updates)
    return sorted(message.changed), sorted(message.removed)


def test_after_connecting_again_what_is_not_told_of_in_any_part_is_gone(tmp_path: Path) -> None:
    first, second, third = ended(1), ended(2), running(number=3)
    session = Session(home=tmp_path)  # type: ignore[arg-type]
    session.begin()
    _told(session, TasksUpdate(views=(first, third), more=True), TasksUpdate(views=(second,)))
    assert (len(session.tasks), session.count("running")) == (3, 1)
    session.begin()
    assert _told(session, TasksUpdate(views=(second,), more=True)) == (["00000002"], [])
    assert len(session.tasks) == 3
    assert _told(session, TasksUpdate(views=(ended(4),))) == (
        ["00000004"],
        ["00000001", "00000003"],
    )
    assert (len(session.tasks), session.count("running")) == (2, 0)
    assert _told(session, TasksUpdate(removed=("00000002",))) == ([], ["00000002"])
    assert list(session.tasks) == ["00000004"]
