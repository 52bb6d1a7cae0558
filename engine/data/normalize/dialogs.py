"""Read lists of turns: ShareGPT's, OpenAI's, and those that pair a question with its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.data.faults import FaultyRowError
from engine.data.normalize.cells import from_cell
from engine.data.normalize.columns import MISSING, text_of
from engine.data.normalize.contents import content_of, with_reasoning
from engine.data.normalize.roles import (
    ANSWERING,
    ASKING,
    CONTENT_KEYS,
    SENDER_KEYS,
    speaker_of,
)
from engine.data.normalize.tools import read_calls
from engine.data.types import Message
from engine.data.words import brief, key_list, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.data.normalize.columns import Columns
    from engine.data.types import ToolCall


class DialogReader:
    """Reads rows whose one column holds the turns, however these are written."""

    def __init__(self, columns: Columns) -> None:
        self._names = [columns.name(field) for field in ("conversations", "messages")]
        self._getters = [columns.getter(field) for field in ("conversations", "messages")]
        if columns.has("messages"):
            self._names.reverse()
            self._getters.reverse()
        self._other_shape = columns.other_shape

    def turns(self, row: Mapping[str, Any]) -> list[Message]:
        """Give the row's turns."""
        value = self._getters[0](row)
        if value is MISSING:
            raise self._other_shape(row)
        return read_turns(value, self._names[0])


def read_turns(value: Any, name: str) -> list[Message]:
    """Read a list of turns, or JSON text of one; ``name`` is its column, fit to be shown.

    Raises:
        FaultyRowError: It is no list, or a turn cannot be read; names the turn.
    """
    turns = value if isinstance(value, list) else from_cell(value)
    if turns is None or turns == "":
        raise FaultyRowError("no-answer", f"'{name}' is {'null' if turns is None else 'empty'}")
    if not isinstance(turns, list):
        raise FaultyRowError("wrong-type", f"'{name}' is {kind_of(turns)}, not a list")
    messages: list[Message] = []
    names: dict[str, str] = {}
    for number, turn in enumerate(turns, start=1):
        if not isinstance(turn, dict):
            raise FaultyRowError("wrong-type", f"turn {number} is {kind_of(turn)}, not an object")
        sender = _first(turn, SENDER_KEYS)
        if sender is None:
            messages += _pair(turn, number)
        else:
            messages.append(_turn(turn, sender, number, names))
    return messages


def _first(turn: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    """Give the first of these keys that a turn has with a value, or at all."""
    for key in keys:
        if turn.get(key) is not None:
            return key
    return next((key for key in keys if key in turn), None)


def _turn(turn: Mapping[str, Any], sender: str, number: int, names: dict[str, str]) -> Message:
    """Read one turn that names its speaker; ``names`` keeps the functions by their calls' ids."""
    who = text_of(turn[sender], f"{sender} of turn {number}")
    speaker = speaker_of(who)
    if speaker is None:
        raise FaultyRowError("unknown-role", f"turn {number} is from '{brief(who)}'")
    key = _first(turn, CONTENT_KEYS)
    calls = _calls(turn, number, names) if speaker == "assistant" else ()
    if key is None and not calls:
        raise _keys_wanted(turn, number)
    value = turn[key] if key else None
    if isinstance(value, str) and value.isascii() and speaker in ("user", "system"):
        return Message(role=speaker, content=value)
    place = f"{key} of turn {number}"
    if speaker == "call":
        return _call_turn(value, place)
    if speaker == "tool":
        content = content_of(value, place, free=True)
        return Message(role="tool", content=content, name=_name(turn, names))
    text = "" if calls and value is None else content_of(value, place)
    if speaker == "assistant":
        return Message(role=speaker, content=with_reasoning(text, turn), tool_calls=calls)
    return Message(role=speaker, content=text)


def _call_turn(value: Any, place: str) -> Message:
    """Read a ShareGPT turn that calls functions; thoughts may stand before the calls."""
    thoughts = ""
    if isinstance(value, str) and "</think>" in value:
        before, mark, value = text_of(value, place).rpartition("</think>")
        thoughts = before + mark
    return Message(role="assistant", content=thoughts, tool_calls=read_calls(value, place))


def _calls(turn: Mapping[str, Any], number: int, names: dict[str, str]) -> tuple[ToolCall, ...]:
    """Read the calls of an OpenAI turn, also those in the form before ``tool_calls``."""
    given = turn.get("tool_calls") or turn.get("function_call")
    if not given:
        return ()
    calls = read_calls(given, f"turn {number}")
    if isinstance(given, list):
        for one, call in zip(given, calls, strict=True):
            if isinstance(one, dict) and isinstance(one.get("id"), str):
                names[one["id"]] = call.name
    return calls


def _name(turn: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Take the function's name from a tool's turn, or find it by the id of its call."""
    name, call = turn.get("name"), turn.get("tool_call_id")
    if isinstance(name, str) and name.strip():
        return text_of(name, "name")
    return names.get(call, "") if isinstance(call, str) else ""


def _pair(turn: Mapping[str, Any], number: int) -> list[Message]:
    """Read an entry that holds a question with its answer: ``{"human": …, "assistant": …}``."""
    question, answer = _first(turn, ASKING), _first(turn, ANSWERING)
    if question is None or answer is None:
        raise _keys_wanted(turn, number)
    return [
        Message(role="user", content=content_of(turn[question], f"{question} of turn {number}")),
        Message(role="assistant", content=content_of(turn[answer], f"{answer} of turn {number}")),
    ]


def _keys_wanted(turn: Mapping[str, Any], number: int) -> FaultyRowError:
    """Word that a turn lacks its speaker or its text."""
    return FaultyRowError(
        "wrong-type",
        f"turn {number} has the keys {key_list(turn)}; wanted: from, value (or role, content)",
    )
