"""Read rows with a chosen and a rejected answer: the chosen one is trained."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine.data.faults import FaultyRowError
from engine.data.normalize.columns import MISSING
from engine.data.normalize.pairs import given, side
from engine.data.types import Message
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.data.normalize.columns import Columns
    from engine.data.types import ToolCall

_HH = re.compile(r"\n\n(Human|Assistant): ?")


class PreferenceReader:
    """Reads prompt, chosen and rejected: texts, turns, or whole dialogues in both answers."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._prompt = columns.getter("prompt")
        self._chosen = columns.getter("chosen")
        self._rejected = columns.getter("rejected")

    def turns(self, row: Mapping[str, Any]) -> list[Message]:
        """Give the row's turns up to the chosen answer."""
        columns = self._columns
        chosen, rejected = self._chosen(row), self._rejected(row)
        if chosen is MISSING and rejected is MISSING:
            raise columns.other_shape(row)
        name = columns.name("chosen")
        answer = _side(given(chosen, name), name, "assistant")
        _check_rejected(answer, rejected, columns.name("rejected"))
        prompt = self._prompt(row)
        if prompt is MISSING or prompt is None:
            return answer
        return _joined(_side(prompt, columns.name("prompt"), "user"), answer)


def _check_rejected(chosen: Sequence[Message], rejected: Any, name: str) -> None:
    """Refuse a row whose rejected answer is not there, or is the chosen one."""
    if rejected is MISSING or rejected is None:
        detail = tr("'{name}' is null", name=name)
        if rejected is MISSING:
            detail = tr("'{name}' is missing", name=name)
        raise FaultyRowError("no-rejected", detail)
    turns = _side(rejected, name, "assistant")
    if not any(turn.content.strip() or turn.tool_calls for turn in turns):
        raise FaultyRowError("no-rejected", tr("'{name}' says nothing", name=name))
    if _said(turns) == _said(chosen):
        raise FaultyRowError(
            "same-answers", tr("'{name}' says what the chosen answer says", name=name)
        )


def _said(turns: Sequence[Message]) -> list[tuple[str, str, tuple[ToolCall, ...]]]:
    """Give what is said, the blanks around it aside."""
    return [(turn.role, turn.content.strip(), turn.tool_calls) for turn in turns]


def _joined(prompt: list[Message], answer: list[Message]) -> list[Message]:
    """Put the prompt before the answer, unless the answer is the whole dialogue itself."""
    if prompt and prompt[-1].role == "assistant" and not prompt[-1].content.strip():
        prompt = prompt[:-1]  # "Assistant:" at its end only invites the answer
    if not any(turn.role == "user" for turn in answer):
        return [*prompt, *answer]
    has_system = bool(prompt) and prompt[0].role == "system" and answer[0].role != "system"
    return [prompt[0], *answer] if has_system else answer


def _side(value: Any, name: str, role: str) -> list[Message]:
    """Read one side, which may be a dialogue written as Anthropic's HH-RLHF has it."""
    if isinstance(value, str) and value.lstrip("\n").startswith("Human:"):
        return _dialogue(side(value, name, role)[0].content)
    return side(value, name, role)


def _dialogue(text: str) -> list[Message]:
    r"""Split ``\n\nHuman: …\n\nAssistant: …`` into its turns."""
    _, *pieces = _HH.split("\n\n" + text.lstrip("\n"))
    turns = zip(pieces[0::2], pieces[1::2], strict=True)
    return [
        Message(role="user" if one == "Human" else "assistant", content=content.strip())
        for one, content in turns
    ]
