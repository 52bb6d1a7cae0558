"""Turn one row into a conversation, or say what is wrong with it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from engine.data.faults import FaultyRowError
from engine.data.types import Conversation, Message
from engine.data.words import brief, key_list, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.data.types import Role, Shape

_ROLES: dict[str, Role] = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "system": "system",
}


def normalize(row: Mapping[str, Any], number: int, shape: Shape) -> Conversation:
    """Make a conversation of the row with this number.

    Raises:
        FaultyRowError: The row cannot train; says why.
    """
    messages = tuple(_alpaca(row) if shape.dataset_type == "alpaca" else _sharegpt(row))
    for index, message in enumerate(messages, start=1):
        _check_content(message, index)
    return Conversation(row=number, messages=messages)


def _alpaca(row: Mapping[str, Any]) -> Iterator[Message]:
    """Build the turns of an Alpaca row: system, history, then the question and its answer."""
    if "instruction" not in row and "output" not in row:
        raise FaultyRowError("other-shape", f"its keys are {key_list(row)}")
    if "output" not in row:
        raise FaultyRowError("no-answer", "'output' is missing")
    yield from _system(row)
    yield from _history(row)
    question = _text(row.get("instruction", ""), "instruction")
    context = _optional_text(row, "input")
    parts = [part for part in (question, context) if part.strip()]
    yield Message(role="user", content="\n\n".join(parts))
    yield Message(role="assistant", content=_text(row["output"], "output"))


def _system(row: Mapping[str, Any]) -> Iterator[Message]:
    """Take the system column, where it says something."""
    system = _optional_text(row, "system")
    if system.strip():
        yield Message(role="system", content=system)


def _history(row: Mapping[str, Any]) -> Iterator[Message]:
    """Take the earlier turns of an Alpaca row: a list of [question, answer] pairs."""
    history = row.get("history")
    if history is None:
        return
    if not isinstance(history, list):
        raise FaultyRowError("wrong-type", f"'history' is {kind_of(history)}, not a list")
    for number, pair in enumerate(history, start=1):
        if not isinstance(pair, list) or len(pair) != 2:
            raise FaultyRowError(
                "wrong-type", f"entry {number} of 'history' is not a [question, answer] pair"
            )
        for role, text in zip(("user", "assistant"), pair, strict=True):
            yield Message(role=role, content=_text(text, f"history entry {number}"))


def _sharegpt(row: Mapping[str, Any]) -> Iterator[Message]:
    """Build the turns of a ShareGPT row; a system turn goes before the system column."""
    if "conversations" not in row:
        raise FaultyRowError("other-shape", f"its keys are {key_list(row)}")
    turns = row["conversations"]
    if not isinstance(turns, list):
        raise FaultyRowError("wrong-type", f"'conversations' is {kind_of(turns)}, not a list")
    messages = [_turn(turn, number) for number, turn in enumerate(turns, start=1)]
    has_system = bool(messages) and messages[0].role == "system"
    _check_order(messages[1:] if has_system else messages)
    if not has_system:
        yield from _system(row)
    # An empty system turn says nothing; some exporters write one in every row
    yield from (one for one in messages if one.role != "system" or one.content.strip())


def _turn(turn: Any, number: int) -> Message:
    """Read one ShareGPT turn."""
    if not isinstance(turn, dict):
        raise FaultyRowError("wrong-type", f"turn {number} is {kind_of(turn)}, not an object")
    if "from" not in turn or "value" not in turn:
        raise FaultyRowError(
            "wrong-type", f"turn {number} has the keys {key_list(turn)}; wanted: from, value"
        )
    sender = _text(turn["from"], f"from of turn {number}")
    role = _ROLES.get(sender.strip().lower())
    if role is None:
        raise FaultyRowError("unknown-role", f"turn {number} is from '{brief(sender)}'")
    return Message(role=role, content=_text(turn["value"], f"value of turn {number}"))


def _check_order(turns: Sequence[Message]) -> None:
    """Refuse turns that do not alternate from user to assistant."""
    roles = [turn.role for turn in turns]
    if "assistant" not in roles:
        raise FaultyRowError("no-answer", "no turn is from gpt")
    if roles[0] != "user":
        raise FaultyRowError("wrong-order", f"the {roles[0]} speaks first, not the user")
    if "system" in roles:
        raise FaultyRowError("wrong-order", "a system turn comes after the first turn")
    for one, other in pairwise(roles):
        if one == other:
            raise FaultyRowError("wrong-order", f"the {one} speaks twice in a row")
    if roles[-1] == "user":
        raise FaultyRowError("no-answer", "the last question has no answer")


def _check_content(message: Message, index: int) -> None:
    """Refuse an empty turn."""
    if message.role != "system" and not message.content.strip():
        code = "empty-answer" if message.role == "assistant" else "empty-question"
        raise FaultyRowError(code, f"turn {index} ({message.role}) says nothing")


def _optional_text(row: Mapping[str, Any], key: str) -> str:
    """Read a text that may be absent or null."""
    value = row.get(key)
    return "" if value is None else _text(value, key)


def _text(value: Any, name: str) -> str:
    """Read a text that any tokenizer can take."""
    if not isinstance(value, str):
        raise FaultyRowError("wrong-type", f"'{name}' is {kind_of(value)}, not a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FaultyRowError("broken-text", f"'{name}' holds half a character") from None
    return value
