"""A text of several lines to edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import TextArea

from engine.text import visible

if TYPE_CHECKING:
    from textual import events


class EditArea(TextArea):
    """Grows with its text; pasted control characters become visible instead of being obeyed."""

    DEFAULT_CSS = """
    EditArea, EditArea:focus {
        height: auto; min-height: 2; max-height: 15; padding: 0; border: none;
        border-top: solid $faint; border-title-color: $muted; background: $foreground 5%;
    }
    EditArea:focus {
        background: $primary 12%; border-top: solid $primary; border-title-color: $text-primary;
    }
    EditArea.-whole { height: 1fr; max-height: 100%; }
    """

    def __init__(self, label: str, text: str) -> None:
        super().__init__(text, highlight_cursor_line=False)
        self.border_title = Content(visible(label))

    async def _on_paste(self, event: events.Paste) -> None:
        """Make what is pasted safe to show; Textual calls the base's own handler after this."""
        event.text = visible(event.text.replace("\r\n", "\n").replace("\r", "\n"))
