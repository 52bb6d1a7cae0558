"""Read lists of turns: ShareGPT's, OpenAI's, and those that pair a question with its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.data.faults import FaultyRowError
from engine.data.normalize.cells import from_cell
from engine.data.normalize.columns import MISSING, text_of
from engine.data.normalize.contents import content_of, with_reasoning
from engine.data.normalize.place import Place
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
from engine.language import mark, tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.data.normalize.columns import Columns
    from engine.data.types import ToolCall


_TURN = mark("turn {number}")
_OF_TURN = mark("{key} of turn {number}")


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
        empty = tr("'{name}' is empty", name=name)
        detail = tr("'{name}' is null", name=name) if turns is None else empty
        raise FaultyRowError("no-answer", detail)
    if not isinstance(turns, list):
        raise FaultyRowError(
            "wrong-type", tr("'{name}' is {kind}, not a list", name=name, kind=kind_of(turns))
        )
    messages: list[Message] = []
    names: dict[str, str] = {}
    for number, turn in enumerate(turns, start=1):
        if not isinstance(turn, dict):
            raise FaultyRowError(
                "wrong-type",
                tr("turn {number} is {kind}, not an object", number=number, kind=kind_of(turn)),
            )
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
    who = turn[sender]
    if not (isinstance(who, str) and who.isascii()):  # it nearly always is
        who = text_of(who, Place(_OF_TURN, key=sender, number=number))
    speaker = speaker_of(who)
    if speaker is None:
        raise FaultyRowError(
            "unknown-role", tr("turn {number} is from '{who}'", number=number, who=brief(who))
        )
    key = _first(turn, CONTENT_KEYS)
    calls = _calls(turn, number, names) if speaker == "assistant" else ()
    if key is None and not calls:
        raise _keys_wanted(turn, number)
    value = turn[key] if key else None
    if isinstance(value, str) and value.isascii() and speaker in ("user", "system"):
        return Message(role=speaker, content=value)
    place = Place(_OF_TURN, key=key, number=number)
    if speaker == "call":
        return _call_turn(value, place)
    if speaker == "tool":
        content = content_of(value, place, free=True)
        return Message(role="tool", content=content, name=_name(turn, names))
    text = "" if calls and value is None else content_of(value, place)
    if speaker == "assistant":
        return Message(role=speaker, content=with_reasoning(text, turn), tool_calls=calls)
    return Message(role=speaker, content=text)


def _call_turn(value: Any, place: Place) -> Message:
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
    calls = read_calls(given, Place(_TURN, number=number))
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
        Message(
            role="user",
            content=content_of(turn[question], Place(_OF_TURN, key=question, number=number)),
        ),
        Message(
            role="assistant",
            content=content_of(turn[answer], Place(_OF_TURN, key=answer, number=number)),
        ),
    ]


def _keys_wanted(turn: Mapping[str, Any], number: int) -> FaultyRowError:
    """Word that a turn lacks its speaker or its text."""
    return FaultyRowError(
        "wrong-type",
        tr(
            "turn {number} has the keys {keys}; wanted: from, value (or role, content)",
            number=number,
            keys=key_list(turn),
        ),
    )
