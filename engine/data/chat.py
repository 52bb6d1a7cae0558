"""Conversations as chat templates take them, and folded for templates that cannot."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.data.types import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data.types import ToolCall

_MAY_CALL = "You may call functions."
_HOW_TO_CALL = (
    "To call one, write a JSON object with its name and its arguments between tags: "
    '<tool_call>{"name": ..., "arguments": {...}}</tool_call>.'
)


@dataclass(frozen=True)
class Chat:
    """Turns and functions in the form that a template renders without loss."""

    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    text_arguments: bool = False
    """Whether the template wants a call's arguments as JSON text rather than as an object."""
    tools_folded: bool = False
    """Whether functions, calls and their results are written as plain text inside the turns."""
    system_folded: bool = False
    """Whether the system turn stands in the first question."""


def as_turns(messages: Sequence[Message], *, text_arguments: bool = False) -> list[dict[str, Any]]:
    """Give the turns as dictionaries in OpenAI's form, each with only the keys it needs.

    Calls get the nine-character ids that Mistral's templates insist on, and results those of
    the calls before them, in order.
    """
    turns = []
    calls = 0
    waiting: list[str] = []
    for message in messages:
        turn: dict[str, Any] = {"role": message.role, "content": message.content}
        if message.tool_calls:
            waiting = [_call_id(calls + number) for number in range(len(message.tool_calls))]
            calls += len(waiting)
            turn["tool_calls"] = [
                _as_call(call, identity, text_arguments)
                for call, identity in zip(message.tool_calls, waiting, strict=True)
            ]
        if message.role == "tool":
            turn["tool_call_id"] = waiting.pop(0) if waiting else _call_id(calls)
            if message.name:
                turn["name"] = message.name
        turns.append(turn)
    return turns


def _as_call(call: ToolCall, identity: str, text_arguments: bool) -> dict[str, Any]:
    """Write a call in OpenAI's form."""
    arguments = call.arguments
    if text_arguments and not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    function = {"name": call.name, "arguments": arguments}
    return {"type": "function", "id": identity, "function": function}


def _call_id(number: int) -> str:
    """Make an id of nine letters and digits."""
    return f"call{number % 100_000:05d}"


def fold_system(messages: Sequence[Message]) -> tuple[Message, ...] | None:
    """Put a leading system turn into the user turn after it, ``None`` where there is none."""
    if len(messages) < 2 or messages[0].role != "system" or messages[1].role != "user":
        return None
    system, user, *rest = messages
    return (Message(role="user", content=_join(system.content, user.content)), *rest)


def fold_tools(messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> tuple[Message, ...]:
    """Write functions, calls and results as text, for a template that knows none of them.

    Functions go to the system turn, calls into the answer that makes them, and results into a
    user turn, so that user and assistant still take turns.
    """
    folded: list[Message] = []
    after_result = False
    for message in describe_tools(messages, tools, _HOW_TO_CALL):
        if message.role == "tool":
            text = f"<tool_response>\n{message.content}\n</tool_response>"
            one = Message(role="user", content=text)
        else:
            one = Message(role=message.role, content=_with_calls(message))
        if after_result and one.role == "user":
            before = folded.pop()
            one = Message(role="user", content=f"{before.content}\n{one.content}")
        folded.append(one)
        after_result = message.role == "tool"
    return tuple(folded)


def describe_tools(
    messages: Sequence[Message], tools: Sequence[dict[str, Any]], how_to_call: str = ""
) -> tuple[Message, ...]:
    """Describe the functions in the system turn, for a template that leaves them out there."""
    if not tools:
        return tuple(messages)
    rest = list(messages)
    before = rest.pop(0).content if rest and rest[0].role == "system" else ""
    introduction = " ".join(filter(None, (_MAY_CALL, how_to_call, "The functions are:")))
    lines = [json.dumps(tool, ensure_ascii=False) for tool in tools]
    system = _join(before, "\n".join([introduction, *lines]))
    return (Message(role="system", content=system), *rest)


def _with_calls(message: Message) -> str:
    """Write a turn's calls behind its text."""
    parts = [message.content] if message.content else []
    for call in message.tool_calls:
        written = json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)
        parts.append(f"<tool_call>{written}</tool_call>")
    return "\n".join(parts)


def _join(first: str, second: str) -> str:
    """Put two texts into paragraphs of their own."""
    return f"{first}\n\n{second}" if first.strip() else second
