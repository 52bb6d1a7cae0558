"""Chats, conversations and assistants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse

from engine.errors import LoraDeckError
from engine.language import tr
from engine.results.chat.types import Assistant, ChatEvent, ChatRequest, ChatStatus, Conversation
from engine.server.context import Service, until_stopped
from engine.server.reach import InReach
from engine.server.wire import STREAM_ERRORS

router = APIRouter(tags=["chat"])


async def _asked(
    service: Service, reach: InReach, request: ChatRequest
) -> AsyncIterator[ChatEvent]:
    """Find who is to answer, and refuse what cannot be asked, before the answer has begun."""
    target = await asyncio.to_thread(service.targets.find, request.target, reach)
    return service.chats.answer(target.without_adapter() if request.base else target, request)


Asked = Annotated[AsyncIterator[ChatEvent], Depends(_asked)]


@router.post("/chat", response_class=EventSourceResponse, responses=STREAM_ERRORS)
async def chat(request: Request, asked: Asked) -> AsyncIterator[ChatEvent]:
    """The next answer of a conversation, as it is made. Closing the stream ends it."""
    async for event in until_stopped(request, asked):
        yield event


@router.get("/chat")
async def status(service: Service) -> ChatStatus:
    """What is held in memory for chats."""
    return service.chats.status()


@router.post("/chat/unload")
async def unload(service: Service) -> ChatStatus:
    """Free the chat's memory now; an answer under way fails."""
    return await service.chats.unload()


@router.get("/conversations")
async def conversations(service: Service) -> list[Conversation]:
    """The conversations that are kept, newest first."""
    return await asyncio.to_thread(service.conversations.all)


@router.get("/conversations/{conversation_id}")
async def conversation(service: Service, conversation_id: str) -> Conversation:
    """One of them."""
    return await asyncio.to_thread(service.conversations.get, conversation_id)


@router.put("/conversations/{conversation_id}")
async def keep(service: Service, conversation_id: str, body: Conversation) -> Conversation:
    """Keep a conversation under an id, in the place of the one that it has."""
    return await asyncio.to_thread(service.conversations.put, conversation_id, body)


@router.delete("/conversations/{conversation_id}", status_code=204)
async def forget(service: Service, conversation_id: str) -> None:
    """Remove a conversation."""
    await asyncio.to_thread(service.conversations.delete, conversation_id)


@router.get("/assistants")
async def assistants(service: Service) -> list[Assistant]:
    """All assistants, by name."""
    return service.assistants.all()


@router.post("/assistants", status_code=201)
async def create(service: Service, reach: InReach, body: Assistant) -> Assistant:
    """Bind a base model, an adapter, a system prompt and sampling settings to a new name."""
    checked = await asyncio.to_thread(service.targets.checked, body, reach)
    return service.assistants.create(checked)


@router.get("/assistants/{name}")
async def assistant(service: Service, name: str) -> Assistant:
    """One assistant."""
    return service.assistants.get(name)


@router.put("/assistants/{name}")
async def put(service: Service, reach: InReach, name: str, body: Assistant) -> Assistant:
    """Change an assistant, or create it."""
    if body.name != name:
        words = tr("The path says '{name}', the body '{other}'.", name=name, other=body.name)
        raise LoraDeckError(tr("Two names"), words, tr("Give both the same."))
    checked = await asyncio.to_thread(service.targets.checked, body, reach)
    return service.assistants.put(checked)


@router.delete("/assistants/{name}", status_code=204)
async def delete(service: Service, name: str) -> None:
    """Forget an assistant; its adapter stays."""
    service.assistants.delete(name)
