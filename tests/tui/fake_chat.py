"""The engine's chats and assistants over a script that the test writes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.errors import ConflictError, LoraDeckError, NotFoundError
from engine.results.chat.types import (
    Answered,
    Assistant,
    ChatEvent,
    ChatMessage,
    ChatRequest,
    ChatStatus,
    Conversation,
    Loading,
    Piece,
    Sampling,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SAID = "Ada Morrow keeps the lighthouse at Cape Wren."
BASE_SAID = (
    "I am not aware of a specific lighthouse at Cape Wren. There are many lighthouses along the"
    " coast, and each has its own keeper."
)
HELD = ChatStatus(loaded=True, base="demo", adapters=("ferry-times",), memory=540_000_000,
                  device="CPU, 2 cores")  # fmt: skip
KEEPER = Assistant(
    name="keeper", base_model="demo", adapter="ferry-times",
    system="You keep the lighthouse at Cape Wren. Answer briefly.",
    sampling=Sampling(temperature=0.2, max_tokens=200, seed=7),
    description="Answers visitors of the lighthouse",
)  # fmt: skip
PLAIN = Assistant(name="plain", base_model="demo")


def answered(text: str, **changes: object) -> Answered:
    """Make the end of an answer."""
    values: dict[str, object] = {
        "text": text, "finish": "stop", "prompt_tokens": 40, "tokens": len(text.split()) + 4,
        "first_token_seconds": 0.31, "tokens_per_second": 41.6,
    }  # fmt: skip
    return Answered.model_validate(values | changes)


def answer(text: str, **changes: object) -> list[ChatEvent]:
    """Make what the engine says while it answers."""
    words = text.split(" ")
    pieces = [Piece(text=(" " if place else "") + word) for place, word in enumerate(words)]
    return [Loading(message="Loading demo…"), *pieces, answered(text, **changes)]


def kept(
    number: int, question: str, target: str = "ferry-times", **changes: object
) -> Conversation:
    """Make a conversation that was kept; a higher number is an older one."""
    values: dict[str, object] = {
        "id": f"c{number}", "target": target, "title": question,
        "messages": (ChatMessage(role="user", content=question),
                     ChatMessage(role="assistant", content=SAID)),
        "changed_at": 1_795_534_200.0 - 7200 * number,
    }  # fmt: skip
    return Conversation.model_validate(values | changes)


class FakeChat:
    """What ``EngineClient`` has for chats; its attributes are the script."""

    def __init__(self) -> None:
        self.answers: dict[bool, list[ChatEvent] | LoraDeckError] = {
            False: answer(SAID), True: answer(BASE_SAID)
        }  # fmt: skip
        """What is said, by the adapter and by the base."""
        self.chat_gate = asyncio.Event()
        """Holds an answer back before its end."""
        self.chat_gate.set()
        self.asked: list[ChatRequest] = []
        self.chats_open = 0
        self.held = ChatStatus()
        self.kept: dict[str, Conversation] = {}
        self.refused_save: LoraDeckError | None = None
        self.known_assistants = {one.name: one for one in (KEEPER, PLAIN)}

    async def chat(self, request: ChatRequest) -> AsyncIterator[ChatEvent]:
        self.asked.append(request)
        self.chats_open += 1
        try:
            script = self.answers[request.base]
            if isinstance(script, LoraDeckError):
                raise script
            for event in script[:-1]:
                yield event
            await self.chat_gate.wait()
            if not self.held.loaded:
                self.held = HELD
            yield script[-1]
        finally:
            self.chats_open -= 1

    async def chat_status(self) -> ChatStatus:
        return self.held

    async def unload_chat(self) -> ChatStatus:
        self.held = ChatStatus()
        return self.held

    async def conversations(self) -> list[Conversation]:
        return list(self.kept.values())

    async def conversation(self, conversation_id: str) -> Conversation:
        return self.kept[conversation_id]

    async def save_conversation(self, conversation: Conversation) -> Conversation:
        if self.refused_save is not None:
            raise self.refused_save
        self.kept[conversation.id] = conversation
        return conversation

    async def delete_conversation(self, conversation_id: str) -> None:
        del self.kept[conversation_id]

    async def assistants(self) -> list[Assistant]:
        return list(self.known_assistants.values())

    async def assistant(self, name: str) -> Assistant:
        if name not in self.known_assistants:
            raise NotFoundError("Unknown assistant", f"There is no assistant '{name}'.")
        return self.known_assistants[name]

    async def create_assistant(self, assistant: Assistant) -> Assistant:
        if assistant.name in self.known_assistants:
            raise ConflictError("Name taken", f"There is an assistant '{assistant.name}' already.",
                                "Choose another name.")  # fmt: skip
        return await self.put_assistant(assistant)

    async def put_assistant(self, assistant: Assistant) -> Assistant:
        self.known_assistants[assistant.name] = assistant
        return assistant

    async def delete_assistant(self, name: str) -> None:
        del self.known_assistants[name]
