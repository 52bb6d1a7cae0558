"""The part of the engine's client that chats, and keeps conversations and assistants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from engine.errors import EngineUnavailableError
from engine.language import tr
from engine.results.chat.types import (
    Answered,
    Assistant,
    ChatEvent,
    ChatStatus,
    Conversation,
    Failed,
)
from engine.server.calls import Calls
from engine.server.task_client import quoted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.results.chat.types import ChatRequest

_EVENT: TypeAdapter[ChatEvent] = TypeAdapter(ChatEvent)
_CONVERSATIONS = TypeAdapter(list[Conversation])
_ASSISTANTS = TypeAdapter(list[Assistant])


class ChatCalls(Calls):
    """What can be asked about chats over any connection."""

    async def chat(self, request: ChatRequest) -> AsyncIterator[ChatEvent]:
        """Yield an answer as it is made; closing this ends it.

        What is wrong with the request is raised; what goes wrong later is the last event.

        Raises:
            EngineUnavailableError: The engine ended in the midst of the answer.
        """
        event: ChatEvent | None = None
        async with self.stream("/chat", "POST", request.model_dump(mode="json")) as lines:
            async for data in lines:
                event = _EVENT.validate_json(data)
                yield event
        if not isinstance(event, (Answered, Failed)):
            raise EngineUnavailableError(
                tr("Answer not whole"),
                tr("The engine ended before the answer did."),
                tr("Ask again."),
            )

    async def chat_status(self) -> ChatStatus:
        """Tell what is held in memory for chats."""
        return ChatStatus.model_validate(await self.call("GET", "/chat"))

    async def unload_chat(self) -> ChatStatus:
        """Free the chat's memory now."""
        return ChatStatus.model_validate(await self.call("POST", "/chat/unload"))

    async def conversations(self) -> list[Conversation]:
        """List the conversations that are kept, newest first."""
        return _CONVERSATIONS.validate_python(await self.call("GET", "/conversations"))

    async def conversation(self, conversation_id: str) -> Conversation:
        """Read one of them."""
        path = "/conversations/" + quoted(conversation_id)
        return Conversation.model_validate(await self.call("GET", path))

    async def save_conversation(self, conversation: Conversation) -> Conversation:
        """Keep a conversation under its id."""
        path = "/conversations/" + quoted(conversation.id)
        body = conversation.model_dump(mode="json")
        return Conversation.model_validate(await self.call("PUT", path, body))

    async def delete_conversation(self, conversation_id: str) -> None:
        """Remove a conversation."""
        await self.call("DELETE", "/conversations/" + quoted(conversation_id))

    async def assistants(self) -> list[Assistant]:
        """List the assistants, by name."""
        return _ASSISTANTS.validate_python(await self.call("GET", "/assistants"))

    async def assistant(self, name: str) -> Assistant:
        """Find an assistant by its name."""
        return Assistant.model_validate(await self.call("GET", "/assistants/" + quoted(name)))

    async def create_assistant(self, assistant: Assistant) -> Assistant:
        """Keep a new assistant; its name must be free."""
        body = assistant.model_dump(mode="json")
        return Assistant.model_validate(await self.call("POST", "/assistants", body))

    async def put_assistant(self, assistant: Assistant) -> Assistant:
        """Change an assistant, or create it."""
        path, body = "/assistants/" + quoted(assistant.name), assistant.model_dump(mode="json")
        return Assistant.model_validate(await self.call("PUT", path, body))

    async def delete_assistant(self, name: str) -> None:
        """Forget an assistant; its adapter stays."""
        await self.call("DELETE", "/assistants/" + quoted(name))
