"""Where a question is written: Enter sends it, and what is pasted may have many lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from engine.language import tr
from engine.text import visible
from screens.widgets.edit_area import EditArea

if TYPE_CHECKING:
    from textual import events

_THE_SCREENS = ("select_line", "select_all")


class QuestionArea(EditArea):
    """Grows with its text. A page up or down turns the transcript's page, not its own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", key_display="enter", show=False, id="chat.send",
                tooltip="Send the question"),
        Binding("ctrl+n,shift+enter", "new_line", "New line", show=False, id="chat.new_line",
                tooltip="Begin a new line in the question"),
        Binding("pageup", "screen.turn_page(-1)", "Page up", show=False, id="chat.page_up",
                tooltip="A page up in the conversation"),
        Binding("pagedown", "screen.turn_page(1)", "Page down", show=False, id="chat.page_down",
                tooltip="A page down in the conversation"),
    ]  # fmt: skip

    @dataclass
    class Asked(Message):
        """A question was sent."""

        text: str

    def __init__(self) -> None:
        super().__init__("", "")
        self.waiting = False
        """Whether an answer is being given, so that no question can be sent."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Leave the screen its F6 and F7, on which a text area selects."""
        return action not in _THE_SCREENS

    async def _on_key(self, event: events.Key) -> None:
        """Send in turn: of keys that come in one chunk, one for an action overtakes the others."""
        if event.key == "enter":
            event.prevent_default()
            event.stop()
            self.action_send()

    def action_send(self) -> None:
        """Send what is written, unless that is nothing, or an answer is being given."""
        if self.waiting:
            self.notify(tr("Wait for the answer, or stop it with esc."), markup=False)
        elif text := self.text.strip():
            self.waiting = True
            self.put("")
            self.post_message(self.Asked(text))

    def action_new_line(self) -> None:
        """Begin a new line at the cursor."""
        self.insert("\n")

    def put(self, text: str) -> None:
        """Write a text here, with the cursor behind it."""
        self.load_text(visible(text))
        self.move_cursor(self.document.end)
