"""A conversation's texts, joined once for all checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.data.types import Conversation, Message


class RowText:
    """What the checks look at: plain attributes, since a million rows pass by."""

    __slots__ = ("answer", "ascii", "characters", "number", "plain", "question", "text", "turns")

    def __init__(self, conversation: Conversation) -> None:
        messages = conversation.messages
        contents = [
            f"{one.content}{_calls(one)}" if one.tool_calls else one.content for one in messages
        ]
        self.number = conversation.row
        self.plain = conversation.plain
        self.turns = len(messages)
        if len(messages) == 2:
            self.question, self.answer = contents
        else:
            self.answer = contents[-1]
            self.question = "\n".join(contents[:-1])
        self.text = f"{self.question}\n{self.answer}"
        """Everything that is said, with a line end between two turns."""
        self.characters = len(self.text) - self.turns + 1 if self.turns > 1 else len(self.answer)
        self.ascii = self.text.isascii()


def _calls(message: Message) -> str:
    """Write an assistant's calls of functions as text."""
    return "".join(f"\n{call.name} {call.arguments}" for call in message.tool_calls)
