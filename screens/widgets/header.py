"""The line at the top of every screen: where one is, and how the engine is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from engine.language import tr
from screens.format import one_line

if TYPE_CHECKING:
    from screens.session import Session

_STYLES = {"starting": "$muted", "ready": "$text-success", "unreachable": "$text-warning"}
_GLYPHS = {"starting": "○", "ready": "●", "unreachable": "✗"}


class DeckHeader(Widget, can_focus=False):
    """The program's name, the screen's title and the engine's state."""

    DEFAULT_CSS = """
    DeckHeader { dock: top; height: 1; padding: 0 1; background: $panel; text-wrap: nowrap; }
    """

    def __init__(self, session: Session, title: str = "") -> None:
        super().__init__()
        self._session = session
        self._title = one_line(title)
        self._drawn = Content()

    def look(self) -> None:
        """Draw anew where the engine's state is another: tasks change several times a second."""
        if self._state() != self._drawn:
            self.refresh()

    def render(self) -> Content:
        """Draw the line."""
        right = self._drawn = self._state()
        left = Content.assemble(("◆ LoRADeck", "bold $primary"))
        if self._title:
            left = Content.assemble(left, ("  ›  ", "$muted"), self._title)
        room = max(self.size.width - right.cell_length - 2, 0)
        left = left.truncate(room, ellipsis=True).pad_right(max(room - left.cell_length, 0))
        return Content.assemble(left, "  ", right)

    def _state(self) -> Content:
        """Draw the engine's state; how many tasks run, once it is reached."""
        status = self._session.status
        words = one_line(tr(status.words))
        if status.state == "ready":
            running, queued = self._session.count("running"), self._session.count("pending")
            parts = [tr("{count} running", count=running)] if running else []
            parts += [tr("{count} queued", count=queued)] if queued else []
            words = " · ".join([words, *parts])
        return Content.assemble(
            (_GLYPHS[status.state], _STYLES[status.state]), (f" {words}", "$muted")
        )
