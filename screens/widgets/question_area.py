"""Where a question is written: Enter sends it, and what is pasted may have many lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from engine.text import visible
from screens.widgets.edit_area import EditArea

_THE_SCREENS = ("select_line", "select_all")


class QuestionArea(EditArea):
    """Grows with its text. A page up or down turns the transcript's page, not its own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", key_display="enter", show=False, id="chat.send",
                priority=True, tooltip="Send the question"),
        Binding("ctrl+n,shift+enter", "new_line", "New line", show=False, id="chat.new_line",
                tooltip="Begin a new line in the question"),
        Binding("pageup", "screen.turn_page(-1)", "Page up", show=False, id="chat.page_up",
                tooltip="A page up in the conversation"),
        Binding("pagedown", "screen.turn_page(1)", "Page down", show=False, id="chat.page_down",
                tooltip="A page down in the conversation"),
    ]  # fmt: skip

    @dataclass
    class Asked(Message):
        """A question was sent; it stays here until it is taken."""

        text: str

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Leave the screen its F6 and F7, on which a text area selects."""
        return action not in _THE_SCREENS

    def action_send(self) -> None:
        """Send what is written, unless that is nothing."""
        if text := self.text.strip():
            self.post_message(self.Asked(text))

    def action_new_line(self) -> None:
        """Begin a new line at the cursor."""
        self.insert("\n")

    def put(self, text: str) -> None:
        """Write a text here, with the cursor behind it."""
        self.load_text(visible(text))
        self.move_cursor(self.document.end)
