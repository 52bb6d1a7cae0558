"""The start: a button, and beside it what is still missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Button, Static

from engine.language import tr

if TYPE_CHECKING:
    from textual.app import ComposeResult


class StartRow(Horizontal):
    """Starts the training once nothing stands in its way."""

    DEFAULT_CSS = """
    StartRow { height: 1; padding: 0 2; }
    StartRow Button { width: auto; min-width: 18; }
    StartRow Static { width: 1fr; padding-left: 2; color: $muted; text-wrap: nowrap;
                      text-overflow: ellipsis; }
    """

    button = query_one(Button)
    words = query_one(Static)

    class Pressed(Message):
        """The button was pressed."""

    def compose(self) -> ComposeResult:
        """Lay out button and words."""
        yield Button(tr("Start training"), variant="primary", compact=True, disabled=True)
        yield Static(markup=False)

    def offer(self, words: str, *, can_start: bool) -> None:
        """Enable the button or not, and say beside it how to start, or what is missing."""
        self.button.disabled = not can_start
        self.words.update(words)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Say that the start is wanted."""
        event.stop()
        self.post_message(self.Pressed())
