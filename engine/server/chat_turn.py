"""A question under way: to whom, after which turns, and who waits for its answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.language import tr
from engine.results.chat.types import ChatMessage

if TYPE_CHECKING:
    from engine.results.chat.types import ChatEvent, ChatRequest, Sampling
    from engine.server.chat_targets import Target


class Turn:
    """A question under way, and who waits for its answer."""

    def __init__(
        self, target: Target, messages: tuple[ChatMessage, ...], sampling: Sampling
    ) -> None:
        self.target, self.messages, self.sampling = target, messages, sampling
        self.events: asyncio.Queue[ChatEvent | None] = asyncio.Queue()
        self.gone = asyncio.Event()
        """Set when nobody waits any more."""
        self.text: list[str] = []

    @classmethod
    def of(cls, target: Target, request: ChatRequest) -> Turn:
        """Take what is asked, over what the target brings.

        Raises:
            LoraDeckError: There is no question.
        """
        return cls(target, _turns(target, request), request.sampling or target.sampling)


def _turns(target: Target, request: ChatRequest) -> tuple[ChatMessage, ...]:
    """Put the system prompt before the turns; what the request says goes before the assistant's.

    Raises:
        LoraDeckError: The last turn is not a question.
    """
    messages = request.messages
    if messages[-1].role != "user":
        raise LoraDeckError(
            tr("No question"),
            tr("The last turn is not the user's."),
            tr("End the conversation with a question."),
        )
    if messages[0].role == "system":
        if request.system is None:
            return messages
        messages = messages[1:]
    system = target.system if request.system is None else request.system
    return (ChatMessage(role="system", content=system), *messages) if system else messages
