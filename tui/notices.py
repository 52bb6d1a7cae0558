"""Tells when trainings have finished, failed or paused by themselves, wherever the user is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.language import mark, tr, trn
from screens.format import one_line
from tui.terminal import notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.notifications import SeverityLevel

    from engine.tasks.view import TaskView
    from screens.messages import TasksChanged
    from screens.session import Session
    from tui.shell import Shell

GATHER_SECONDS = 0.5
"""What happens within this time is told together."""
SHOWN_SECONDS = 10

Kind = Literal["completed", "failed", "paused"]
_TITLES: dict[Kind, str] = {
    "completed": mark("Finished"), "failed": mark("Failed"), "paused": mark("Paused"),
}  # fmt: skip
_SEVERITIES: dict[Kind, SeverityLevel] = {
    "completed": "information", "failed": "error", "paused": "warning",
}  # fmt: skip


class Notice(NamedTuple):
    """What happened to one training."""

    kind: Kind
    name: str
    words: str


class Seen(NamedTuple):
    """A task as it was when it was last looked at."""

    status: str
    requested: str


class Notices:
    """Watches the tasks of a session; what had ended before they were first seen is no news."""

    def __init__(self, app: Shell, session: Session) -> None:
        self._app, self._session = app, session
        self._seen: dict[str, Seen] = {}
        self._waiting: list[Notice] = []

    def take(self, message: TasksChanged) -> None:
        """See what has happened, and tell it with what else happens now."""
        for task_id in message.removed:
            self._seen.pop(task_id, None)
        news = [
            notice
            for task_id in message.changed
            if (view := self._session.tasks.get(task_id)) and (notice := self._look(view))
        ]
        if news and not self._waiting:
            self._app.set_timer(GATHER_SECONDS, self._tell)
        self._waiting += news

    def _look(self, view: TaskView) -> Notice | None:
        """Compare a task with what was last seen of it."""
        task = view.task
        before = self._seen.get(task.id)
        self._seen[task.id] = Seen(task.status, task.requested)
        kind = _news(before, task.status) if before is not None else None
        return Notice(kind, one_line(task.task_name), one_line(task.message)) if kind else None

    def _tell(self) -> None:
        """Tell what was gathered, many of a kind as one."""
        waiting, self._waiting = self._waiting, []
        for kind in _TITLES:
            if of_kind := [notice for notice in waiting if notice.kind == kind]:
                self._show(kind, _words(kind, of_kind))
        if self._session.settings.bell:
            self._app.write_terminal("\x07")

    def _show(self, kind: Kind, words: str) -> None:
        """Show a toast, and tell the desktop where that is wanted."""
        title = tr(_TITLES[kind])
        self._app.notify(words, title=title, severity=_SEVERITIES[kind], timeout=SHOWN_SECONDS,
                         markup=False)  # fmt: skip
        if (known := self._session.settings.notifications) != "off":
            self._app.write_terminal(notification(known, f"LoRADeck {title}", words, os.environ))


def _news(before: Seen, now: str) -> Kind | None:
    """Tell what is worth telling; what the user has asked for is not."""
    if before.status == now:
        return None
    if now == "paused":
        by_itself = before.status == "running" and before.requested != "pause"
        return "paused" if by_itself else None
    return now if now in ("completed", "failed") else None  # type: ignore[return-value]


def _words(kind: Kind, notices: Sequence[Notice]) -> str:
    """Put what happened to one training, or to many, into words."""
    count = len(notices)
    if count == 1:
        (one,) = notices
        return f"{one.name}: {one.words}" if one.words else one.name
    if kind == "completed":
        return trn("{count} training finished", "{count} trainings finished", count)
    if kind == "failed":
        return trn("{count} training failed", "{count} trainings failed", count)
    return trn("{count} training paused", "{count} trainings paused", count)
