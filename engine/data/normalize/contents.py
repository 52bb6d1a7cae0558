"""Read what a turn says: a text, or the parts of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.data.faults import FaultyRowError
from engine.data.normalize.cells import as_json
from engine.data.normalize.columns import text_of
from engine.data.normalize.place import Place
from engine.data.words import brief, kind_of
from engine.language import mark, tr

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT_PARTS = (None, "text", "input_text", "output_text")
_MEDIA = ("image", "audio", "video", "file", "document")
_REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")


_TEXT_IN = mark("text in {place}")


def content_of(value: Any, place: str | Place, *, free: bool = False) -> str:
    """Read a text or a list of text parts; ``place`` names it.

    Args:
        value: What the turn holds.
        place: What it is called, for the message.
        free: Whether any JSON value will do, as in the answer of a tool.

    Raises:
        FaultyRowError: It is no text, or holds an image or a sound.
    """
    if isinstance(value, str):
        return text_of(value, place)
    if isinstance(value, list) and value and all(map(_is_part, value)):
        return "".join(_part(one, place) for one in value)
    if free:
        return "" if value is None else as_json(value, place)
    return text_of(value, place)


def _is_part(value: Any) -> bool:
    """Tell whether an entry can be a part of a content."""
    return isinstance(value, str) or (
        isinstance(value, dict) and ("text" in value or isinstance(value.get("type"), str))
    )


def _part(part: Any, place: str | Place) -> str:
    """Read one part; the templates of today join them without anything between."""
    if isinstance(part, str):
        return text_of(part, place)
    kind = part.get("type")
    if kind in _TEXT_PARTS:
        return text_of(part.get("text"), Place(_TEXT_IN, place=place))
    if isinstance(kind, str) and any(word in kind for word in _MEDIA):
        raise FaultyRowError(
            "media", tr("{place} has a part of the type '{kind}'", place=place, kind=brief(kind))
        )
    if isinstance(kind, str):
        detail = tr(
            "{place} has a part of the type '{kind}', not of the type 'text'",
            place=place,
            kind=brief(kind),
        )
    else:
        detail = tr(
            "{place} has a part whose type is {kind}, not of the type 'text'",
            place=place,
            kind=kind_of(kind),
        )
    raise FaultyRowError("wrong-type", detail)


def with_reasoning(text: str, turn: Mapping[str, Any]) -> str:
    """Put thoughts that stand beside an answer before it, as reasoning models write them."""
    for key in _REASONING_KEYS:
        thoughts = turn.get(key)
        if isinstance(thoughts, str) and thoughts.strip() and "</think>" not in text:
            return f"<think>\n{text_of(thoughts, key).strip()}\n</think>\n\n{text}"
    return text
