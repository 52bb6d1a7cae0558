"""Check that turns follow each other as chat templates want, and settle calls and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.faults import FaultyRowError
from engine.data.types import Message
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def check_turns(turns: list[Message]) -> list[Message]:
    """Refuse turns in an order that no chat has, or that say nothing.

    Raises:
        FaultyRowError: Names the turn.
    """
    roles = [turn.role for turn in turns]
    start = 1 if roles and roles[0] == "system" else 0
    if "assistant" not in roles:
        raise FaultyRowError("no-answer", tr("no turn is from gpt or assistant"))
    if "user" not in roles:
        raise FaultyRowError("no-question", tr("no turn is from human or user"))
    _check_first(roles[start], start + 1)
    before = turns[start]
    for number, turn in enumerate(turns[start + 1 :], start=start + 2):
        _check_pair(before, turn, number)
        before = turn
    if roles[-1] == "user":
        raise FaultyRowError("no-answer", tr("the last question has no answer"))
    if roles[-1] == "tool":
        raise FaultyRowError("no-answer", tr("a tool speaks last"))
    for number, turn in enumerate(turns, start=1):
        if not turn.content or turn.content.isspace():
            _check_empty(turn, number)
    return turns


def _check_first(role: str, number: int) -> None:
    """Refuse a beginning that is not the user's."""
    if role == "tool":
        raise FaultyRowError(
            "tool-order", tr("turn {number} is from a tool that nobody called", number=number)
        )
    if role == "assistant":
        raise FaultyRowError("wrong-order", tr("the assistant speaks first, not the user"))
    if role == "system":
        raise _late_system(number)


def _late_system(number: int) -> FaultyRowError:
    """Word that a system turn is not the first."""
    return FaultyRowError(
        "wrong-order",
        tr("a system turn comes after the first turn, as turn {number}", number=number),
    )


def _check_pair(before: Message, turn: Message, number: int) -> None:
    """Refuse a turn that cannot follow the one before it."""
    pair = (before.role, turn.role)
    if pair in (("user", "assistant"), ("tool", "tool"), ("tool", "assistant")):
        return
    if turn.role == "system":
        raise _late_system(number)
    if turn.role == "tool":
        if not before.tool_calls:
            raise FaultyRowError(
                "tool-order", tr("turn {number} is from a tool that nobody called", number=number)
            )
    elif before.role == "tool":
        raise FaultyRowError(
            "tool-order", tr("the user speaks after a tool, in turn {number}", number=number)
        )
    elif before.tool_calls and not turn.tool_calls:
        raise FaultyRowError(
            "tool-order", tr("the call before turn {number} has no answer", number=number)
        )
    elif before.role == turn.role and not turn.tool_calls:
        raise FaultyRowError(
            "wrong-order",
            tr("the {role} speaks twice in a row, in turn {number}", role=turn.role, number=number),
        )


def _check_empty(turn: Message, number: int) -> None:
    """Refuse an empty turn but for a system's, a tool's and one that calls a function."""
    if turn.role in ("user", "assistant") and not turn.tool_calls:
        code = "empty-answer" if turn.role == "assistant" else "empty-question"
        raise FaultyRowError(
            code, tr("turn {number} ({role}) says nothing", number=number, role=turn.role)
        )


def settle(turns: list[Message]) -> list[Message]:
    """Drop an empty system turn, join calls to the turn before, name the tools that answer."""
    first = turns[0]
    # An empty system turn says nothing; some exporters write one in every row
    if first.role == "system" and not first.content.strip():
        turns = turns[1:]
    if len(turns) > 2 and any(turn.tool_calls for turn in turns):
        return list(_named(_joined(turns)))
    return turns


def _joined(turns: Sequence[Message]) -> list[Message]:
    """Make one turn of an assistant's text and the calls that follow it."""
    joined: list[Message] = []
    for turn in turns:
        if joined and turn.role == "assistant" == joined[-1].role:
            before = joined[-1]
            texts = [text for text in (before.content, turn.content) if text.strip()]
            turn = Message(
                role="assistant",
                content="\n\n".join(texts),
                tool_calls=before.tool_calls + turn.tool_calls,
            )
            joined[-1] = turn
        else:
            joined.append(turn)
    return joined


def _named(turns: Sequence[Message]) -> Iterator[Message]:
    """Give each tool's answer the name of the call it answers, where it has none."""
    waiting: list[str] = []
    for turn in turns:
        if turn.tool_calls:
            waiting = [call.name for call in turn.tool_calls]
        if turn.role == "tool":
            name = turn.name or (waiting[0] if waiting else "")
            if name in waiting:
                waiting.remove(name)
            turn = turn.model_copy(update={"name": name})
        yield turn
