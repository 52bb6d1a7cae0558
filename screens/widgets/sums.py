"""The sums of a plan, scrolled where they are longer than the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.language import tr
from screens.sums import brief_sums, sums_lines

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from engine.plan.types import Plan


class Sums(VerticalScroll):
    """Memory, disk, run, device and findings; or words in their place."""

    DEFAULT_CSS = """
    Sums { scrollbar-size-vertical: 1; }
    Sums Static { width: 1fr; height: auto; }
    """

    body = query_one(Static)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.border_title = tr("What it adds up to")
        self._plan: Plan | None = None

    def compose(self) -> ComposeResult:
        """Hold the text."""
        yield Static(markup=False)

    def put(self, plan: Plan) -> None:
        """Show a plan's sums."""
        self._plan = plan
        self._draw()

    def say(self, words: Content) -> None:
        """Show words in place of sums."""
        self._plan = None
        self.body.update(words)

    def on_resize(self, _: events.Resize) -> None:
        """Draw for the new width."""
        self._draw()

    def _draw(self) -> None:
        """Draw the sums for the present width."""
        if self._plan is not None:
            width = max(self.scrollable_content_region.width, 1)
            self.body.update(Content("\n").join(sums_lines(self._plan, width)))


class Strip(Static):
    """The same in two lines; what refuses a plan takes as many as it needs."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(markup=False, id=id)

    def put(self, plan: Plan) -> None:
        """Show a plan's sums."""
        self.update(Content("\n").join(brief_sums(plan)))
