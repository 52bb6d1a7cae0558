"""A task's log: its events, or in their place what its worker wrote."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from engine.language import tr, trn
from engine.tasks.events import StepLogged
from engine.text import visible
from screens.event_lines import event_line
from screens.widgets.searched_log import SearchedLog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from engine.tasks.events import Event

LINES = 1000
"""Lines that are kept and shown at most."""


class TaskLog(SearchedLog):
    """The newest lines; it follows unless the user has scrolled up."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(max_lines=LINES, id=id)
        self.name_lines(tr("Events"))
        self._events: deque[str] = deque(maxlen=LINES)
        self._others: deque[str] = deque(maxlen=LINES)
        """The events that are no steps: among many steps, they are soon gone from the others."""
        self._began = False
        self.of_worker = False
        """Whether the worker's log is shown."""
        self.with_steps = True
        """Whether steps are among the events that are shown."""

    def add(self, events: Sequence[Event], zone: tzinfo | None) -> None:
        """Add events; they wait while the worker's log is shown."""
        lines = self._before(events[0].seq)
        others = list(lines)
        for event in events[-LINES:]:
            lines.append(line := event_line(event, zone))
            if not isinstance(event, StepLogged):
                others.append(line)
        self._events.extend(lines)
        self._others.extend(others)
        if not self.of_worker:
            self.write_lines(lines if self.with_steps else others)

    def show_worker(self, words: str) -> None:
        """Show what the worker wrote."""
        lines = visible(words).splitlines() or [tr("The worker has written nothing.")]
        self.of_worker = True
        self.name_lines(tr("Worker log"))
        self.clear().write_lines(lines)

    def show_events(self, *, with_steps: bool) -> None:
        """Show the events again, with or without the steps."""
        self.of_worker, self.with_steps = False, with_steps
        self.name_lines(tr("Events") if with_steps else tr("Events without steps"))
        self.clear().write_lines(self._events if with_steps else self._others)

    def _before(self, first: int) -> list[str]:
        """Say how many events came before those that are shown, if there are any."""
        began, self._began = self._began, True
        if began or first <= 1:
            return []
        return [trn("… {count} earlier event", "… {count} earlier events", first - 1)]
