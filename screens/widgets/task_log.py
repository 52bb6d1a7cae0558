"""A task's log: its events, or in their place what its worker wrote."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from engine.language import tr
from engine.text import visible
from screens.event_lines import event_line
from screens.widgets.following_log import FollowingLog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from engine.tasks.events import Event

LINES = 1000
"""Lines that are kept and shown at most."""


class TaskLog(FollowingLog):
    """The newest lines; it follows unless the user has scrolled up."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(max_lines=LINES, id=id)
        self.border_title = tr("Events")
        self._events: deque[str] = deque(maxlen=LINES)
        self.of_worker = False
        """Whether the worker's log is shown."""

    def add(self, events: Sequence[Event], zone: tzinfo | None) -> None:
        """Add events; they wait while the worker's log is shown."""
        new = [event_line(event, zone) for event in events[-LINES:]]
        self._events.extend(new)
        if not self.of_worker:
            self.write_lines(new)

    def show_worker(self, words: str) -> None:
        """Show what the worker wrote."""
        lines = visible(words).splitlines() or [tr("The worker has written nothing.")]
        self.of_worker, self.border_title = True, tr("Worker log")
        self.clear().write_lines(lines)

    def show_events(self) -> None:
        """Show the events again."""
        self.of_worker, self.border_title = False, tr("Events")
        self.clear().write_lines(self._events)
