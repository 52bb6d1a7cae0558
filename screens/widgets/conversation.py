"""A row's turns in normal form, as text to show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from textual.content import Content

from engine.language import mark, tr, trn
from engine.text import visible

if TYPE_CHECKING:
    from engine.data.types import Conversation, Message

_STYLES = {
    "system": "$muted", "user": "$text-accent", "assistant": "$text-primary", "tool": "$secondary",
}  # fmt: skip
_ROLES = {
    "system": mark("system"), "user": mark("user"), "assistant": mark("assistant"),
    "tool": mark("tool"),
}  # fmt: skip


def conversation_text(conversation: Conversation, limit: int | None = None) -> Content:
    """Write a conversation turn by turn; ``limit`` is in characters, of one turn."""
    parts = []
    if conversation.tools:
        count = len(conversation.tools)
        words = trn("{count} function to call", "{count} functions to call", count)
        parts.append(Content.assemble((f"{tr('tools')}  ", "bold $secondary"), (words, "$muted")))
    for message in conversation.messages:
        label = tr("text") if conversation.plain else tr(_ROLES[message.role])
        if message.name:
            label += f" {visible(message.name)}"
        head = (f"{label}  ", f"bold {_STYLES[message.role]}")
        parts.append(Content.assemble(head, _cut(_words(message), limit)))
    return Content("\n").join(parts)


def _words(message: Message) -> str:
    """Write what a turn says and which functions it calls."""
    calls = [f"→ {call.name}({_arguments(call.arguments)})" for call in message.tool_calls]
    return "\n".join(filter(None, (message.content, *calls)))


def _arguments(arguments: dict[str, object] | str) -> str:
    """Write the arguments of a call."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False)


def _cut(words: str, limit: int | None) -> str:
    """Show the beginning of a long turn."""
    if limit is None or len(words) <= limit:
        return visible(words)
    return visible(words[:limit]) + " …"
