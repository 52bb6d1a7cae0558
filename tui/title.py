"""The terminal's title: the running training and how far it is, seen from any other window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import trn
from engine.text import human_left
from screens.format import one_line
from tui.terminal import POP_TITLE, PUSH_TITLE, title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.timer import Timer

    from engine.tasks.view import TaskView
    from screens.session import Session
    from tui.shell import Shell

REST_SECONDS = 1.0
_NAME = "LoRADeck"


class TerminalTitle:
    """Keeps the title; the user's own is put aside and comes again."""

    def __init__(self, app: Shell, session: Session) -> None:
        self._app, self._session = app, session
        self._shown = ""
        self._resting: Timer | None = None

    def follow(self) -> None:
        """Write the title where it is another one, but not again at once."""
        if not self._session.settings.title:
            self.give_back()
        elif self._resting is None:
            self._write()
            self._resting = self._app.set_timer(REST_SECONDS, self._rested)

    def give_back(self) -> None:
        """Let the user's own title come again."""
        if self._shown:
            self._shown = ""
            self._app.write_terminal(POP_TITLE)

    def _rested(self) -> None:
        """Write what has changed meanwhile."""
        self._resting = None
        if self._session.settings.title and title_words(self._running()) != self._shown:
            self.follow()

    def _write(self) -> None:
        """Write the title."""
        words = title_words(self._running())
        if words != self._shown:
            aside = "" if self._shown else PUSH_TITLE
            self._shown = words
            self._app.write_terminal(aside + title(words))

    def _running(self) -> list[TaskView]:
        """Give the tasks that run."""
        views = self._session.tasks.values()
        return [view for view in views if view.task.status == "running"]


def title_words(running: Sequence[TaskView]) -> str:
    """Say which training runs and how far it is, or how many run."""
    if len(running) == 1:
        (view,) = running
        left = view.seconds_left
        parts = [f"{one_line(view.task.task_name)} {view.task.progress:.0f} %"]
        parts += [human_left(left, (left, left))] if left is not None else []
    elif running:
        count = len(running)
        parts = [trn("{count} training runs", "{count} trainings run", count)]
    else:
        parts = []
    return " · ".join([_NAME, *parts])
