"""Marks in the place of what turns say: they show where a template writes it, and whether."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.data.types import ToolCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data.types import Message

_THOUGHT_END = "</think>"
_LAST = "\ue0f2"


@dataclass
class Marks:
    """Marks handed out so far, with the text that each stands for."""

    stem: str
    """Private-use characters that the texts do not hold; no filter changes their case."""
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def absent_from(cls, *texts: str) -> Marks:
        """Choose a stem that none of the texts holds."""
        stem = "\ue0f0"
        while any(stem in text for text in texts):
            stem += "\ue0f1"
        return cls(stem)

    def make(self, value: str) -> str:
        """Make a mark for a text; no mark is part of another."""
        mark = f"{self.stem}{len(self.values):06d}{_LAST}"
        self.values[mark] = value
        return mark


def mark_message(message: Message, marks: Marks) -> Message:
    """Put marks in the place of what a turn says and of the functions that it calls.

    Whitespace around the text and thinking before it stay, as templates treat them apart.
    """
    content = mark_core(message.content, marks)
    calls = tuple(
        ToolCall(name=marks.make(call.name), arguments=call.arguments)
        for call in message.tool_calls
    )
    return message.model_copy(update={"content": content, "tool_calls": calls})


def mark_core(content: str, marks: Marks) -> str:
    """Replace a text but for the thinking before it and the whitespace around it."""
    thought, end, said = content.rpartition(_THOUGHT_END)
    core = said.strip()
    if not core:
        return content
    before, _, after = said.partition(core)
    return thought + end + before + marks.make(core) + after


def mark_tools(tools: Sequence[dict[str, Any]], marks: Marks) -> list[dict[str, Any]]:
    """Put marks in the place of the functions' names."""
    marked = []
    for tool in tools:
        inner = tool.get("function")
        if isinstance(inner, dict) and isinstance(inner.get("name"), str):
            marked.append(tool | {"function": inner | {"name": marks.make(inner["name"])}})
        elif isinstance(tool.get("name"), str):
            marked.append(tool | {"name": marks.make(tool["name"])})
        else:
            marked.append(tool)
    return marked


def locate(marked: str, text: str, marks: Marks) -> dict[str, tuple[int, int]] | None:
    """Find where ``text`` says what the marks in ``marked`` stand for.

    ``None`` where the two renderings differ by more than the marks. A mark that is not in
    ``marked`` is not in the result.
    """
    found: dict[str, tuple[int, int]] = {}
    behind, position = 0, 0
    places = list(re.finditer(marks.stem + r"\d{6}" + _LAST, marked))
    ends = [*(one.start() for one in places), len(marked)][1:]
    for place, end in zip(places, ends, strict=True):
        literal = marked[behind : place.start()]
        if not text.startswith(literal, position):
            return None
        start, behind = position + len(literal), place.end()
        value = _value_at(text, start, marks.values[place.group()], marked[behind:end])
        if value is None:
            return None
        position = start + len(value)
        found.setdefault(place.group(), (start, position))
    return found if text[position:] == marked[behind:] else None


def _value_at(text: str, start: int, value: str, following: str) -> str | None:
    """Tell how a value is written at a place: as it is, or as JSON."""
    for written in (value, json.dumps(value, ensure_ascii=False)[1:-1]):
        if text.startswith(written, start) and text.startswith(following, start + len(written)):
            return written
    return None
