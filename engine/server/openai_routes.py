"""OpenAI's interface over the home's assistants, adapters and base models."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import ValidationError

from engine.errors import LoraDeckError
from engine.language import tr
from engine.models.adapters import is_adapter
from engine.models.catalog import list_models
from engine.results.chat.types import (
    Answered,
    ChatEvent,
    ChatMessage,
    ChatRequest,
    Failed,
    Piece,
    Sampling,
)
from engine.server.chat_targets import Target
from engine.server.context import Service, until_stopped
from engine.server.openai_wire import (
    Choice,
    Completion,
    CompletionRequest,
    Model,
    ModelList,
    OpenAIErrorBody,
    Said,
    Turn,
    Usage,
    error_body,
)
from engine.server.reach import InReach
from engine.server.service import EngineService
from engine.text import fault_of, visible

if TYPE_CHECKING:
    from engine.home import Home

router = APIRouter(
    prefix="/v1",
    tags=["openai"],
    responses={"4XX": {"model": OpenAIErrorBody}, "5XX": {"model": OpenAIErrorBody}},
)
_LEFT = 499
"""nginx's status for a client that went away; nobody reads it."""


@router.get("/models")
async def models(service: Service) -> ModelList:
    """Assistants first, then adapters, then base models that are here."""
    names = await asyncio.to_thread(_names, service)
    return ModelList(data=[Model(id=name) for name in names])


@router.get("/models/{name:path}")
async def model(service: Service, reach: InReach, name: str) -> Model:
    """One that can be asked."""
    await asyncio.to_thread(service.targets.find, name, reach)
    return Model(id=name)


@router.post(
    "/chat/completions",
    response_model=Completion,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def completions(
    service: Service, reach: InReach, request: Request, body: CompletionRequest
) -> Response:
    """The next answer, whole or as a stream."""
    if refused := body.refused():
        raise LoraDeckError(tr("Not possible"), fault_of(refused[0], tr(refused[1])))
    messages = tuple(_message(turn) for turn in body.messages)
    target = await asyncio.to_thread(service.targets.find, body.model, reach)
    asked = ChatRequest(target=body.model, messages=messages, sampling=_sampling(body, target))
    events = until_stopped(request, service.chats.answer(target, asked))
    answer = _Answer(body)
    if body.stream:
        first = await anext(events, None)  # what is refused at once has a status of its own
        return StreamingResponse(answer.chunks(first, events), media_type="text/event-stream")
    collecting = asyncio.ensure_future(answer.collect(events))
    left = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({collecting, left}, return_when=asyncio.FIRST_COMPLETED)
        if not collecting.done():
            return Response(status_code=_LEFT)
        return Response(collecting.result().model_dump_json(), media_type="application/json")
    finally:
        left.cancel()
        collecting.cancel()


async def _left(request: Request) -> None:
    """Wait until the client goes away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


class _Answer:
    """An answer in OpenAI's form."""

    def __init__(self, body: CompletionRequest) -> None:
        self._model = body.model
        self._with_usage = bool(body.stream_options and body.stream_options.include_usage)
        self._id, self._created = f"chatcmpl-{uuid.uuid4().hex}", int(time.time())

    async def collect(self, events: AsyncIterator[ChatEvent]) -> Completion:
        """Wait for the whole answer.

        Raises:
            LoraDeckError: There will be none.
        """
        async for event in events:
            if isinstance(event, Failed):
                raise LoraDeckError(event.title, event.message, event.hint)
            if isinstance(event, Answered):
                return Completion(
                    id=self._id,
                    created=self._created,
                    model=self._model,
                    choices=[Choice(message=Said(content=event.text), finish_reason=_why(event))],
                    usage=_usage(event),
                )
        raise LoraDeckError(tr("Chat ended"), tr("The engine is ending."), tr("Ask again."))

    async def chunks(
        self, first: ChatEvent | None, events: AsyncIterator[ChatEvent]
    ) -> AsyncIterator[str]:
        """Give the answer as server-sent events."""
        yield self._chunk({"role": "assistant", "content": ""})
        for line in self._lines(first) if first else ():
            yield line
        async for event in events:
            for line in self._lines(event):
                yield line
        yield "data: [DONE]\n\n"

    def _lines(self, event: ChatEvent) -> list[str]:
        """Write what an event says."""
        if isinstance(event, Piece):
            return [self._chunk({"content": event.text})]
        if isinstance(event, Failed):
            body = error_body(500, f"{event.title}: {event.message} {event.hint}".strip())
            return [_line(body.model_dump())]
        if not isinstance(event, Answered):
            return []
        lines = [self._chunk({}, finish=_why(event))]
        if self._with_usage:
            lines.append(self._written([], _usage(event).model_dump()))
        return lines

    def _chunk(self, delta: dict[str, str], finish: str | None = None) -> str:
        """Write the next part of the one answer."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._written([choice], None)

    def _written(self, choices: list[dict[str, Any]], usage: dict[str, int] | None) -> str:
        """Write a chunk."""
        chunk = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            "choices": choices,
        }
        return _line(chunk | {"usage": usage} if self._with_usage else chunk)


def _line(value: dict[str, Any]) -> str:
    """Write a server-sent event."""
    return f"data: {json.dumps(value)}\n\n"


def _names(service: EngineService) -> list[str]:
    """Name all who can be asked."""
    assistants = [one.name for one in service.assistants.all()]
    bases = [one.name for one in list_models(service.home) if one.state == "ready"]
    return list(dict.fromkeys([*assistants, *_adapters(service.home), *bases]))


def _adapters(home: Home) -> list[str]:
    """Name the home's adapters, whoever made them; what cannot be said in UTF-8 is left out."""
    found = sorted(one for one in (home.models / "lora").glob("*") if is_adapter(one))
    return [one.name for one in found if visible(one.name) == one.name]


def _message(turn: Turn) -> ChatMessage:
    """Take a turn that is text alone.

    Raises:
        LoraDeckError: It is not.
    """
    if turn.role in ("tool", "function"):
        raise LoraDeckError(
            tr("Not possible"), fault_of("messages", tr("functions cannot be called"))
        )
    parts = turn.content if isinstance(turn.content, list) else []
    if other := next((part.type for part in parts if part.type != "text"), None):
        raise LoraDeckError(
            tr("Not possible"), tr("messages: only text is taken, no {kind}.", kind=other)
        )
    text = turn.content if isinstance(turn.content, str) else "".join(one.text for one in parts)
    role = "system" if turn.role == "developer" else turn.role
    return ChatMessage(role=role, content=text)


def _sampling(body: CompletionRequest, target: Target) -> Sampling:
    """Put what a request sets over what the assistant has.

    Raises:
        LoraDeckError: There are too many stop texts.
    """
    stop = [body.stop] if isinstance(body.stop, str) else body.stop
    given = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": body.top_k,
        "repetition_penalty": body.repetition_penalty,
        "max_tokens": body.max_completion_tokens or body.max_tokens,
        "seed": body.seed,
        "stop": stop,
    }
    set_here = {key: value for key, value in given.items() if value is not None}
    try:
        return Sampling.model_validate(target.sampling.model_dump() | set_here)
    except ValidationError as error:
        first = error.errors()[0]
        raise LoraDeckError(tr("Not possible"), fault_of(first["loc"][0], first["msg"])) from error


def _why(answered: Answered) -> Any:
    """Say why an answer ended, in OpenAI's words."""
    return "length" if answered.finish == "length" else "stop"


def _usage(answered: Answered) -> Usage:
    """Count the tokens."""
    return Usage(
        prompt_tokens=answered.prompt_tokens,
        completion_tokens=answered.tokens,
        total_tokens=answered.prompt_tokens + answered.tokens,
    )
