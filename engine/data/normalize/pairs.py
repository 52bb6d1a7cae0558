"""Read rows whose columns hold a question and its answer: Alpaca's, and prompt with completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.data.faults import FaultyRowError
from engine.data.normalize.cells import from_cell
from engine.data.normalize.columns import MISSING, text_of
from engine.data.normalize.dialogs import read_turns
from engine.data.normalize.place import Place
from engine.data.types import Message
from engine.data.words import kind_of
from engine.language import mark, tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.data.normalize.columns import Columns


_ENTRY = mark("{name} entry {number}")


class AlpacaReader:
    """Reads instruction, input and output, after the earlier turns in history."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._instruction = columns.getter("instruction")
        self._input = columns.getter("input")
        self._output = columns.getter("output")
        self._history = columns.getter("history", None)

    def turns(self, row: Mapping[str, Any]) -> list[Message]:
        """Give the row's turns."""
        columns = self._columns
        instruction, output = self._instruction(row), self._output(row)
        if output is MISSING and instruction is MISSING:
            raise columns.other_shape(row)
        question = columns.optional_text(instruction, "instruction")
        context = columns.optional_text(self._input(row), "input")
        if context and not context.isspace():
            question = f"{question}\n\n{context}" if question.strip() else context
        answer = columns.text(given(output, columns.name("output")), "output")
        history = self._history(row)
        turns = read_history(history, columns.name("history")) if history else []
        turns.append(Message(role="user", content=question))
        turns.append(Message(role="assistant", content=answer))
        return turns


class PairReader:
    """Reads prompt and completion: texts, or lists of turns as TRL has them."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._prompt = columns.getter("prompt")
        self._completion = columns.getter("completion")
        self._history = columns.getter("history", None)

    def turns(self, row: Mapping[str, Any]) -> list[Message]:
        """Give the row's turns."""
        columns = self._columns
        prompt, completion = self._prompt(row), self._completion(row)
        if completion is MISSING and prompt is MISSING:
            raise columns.other_shape(row)
        if row.get("label") is False:  # KTO's rows say so of answers that are not wanted
            raise FaultyRowError("unwanted", tr("'label' is false"))
        answer = given(completion, columns.name("completion"))
        history = self._history(row)
        turns = read_history(history, columns.name("history")) if history else []
        if prompt is not MISSING and prompt is not None:
            turns += side(prompt, columns.name("prompt"), "user")
        turns += side(answer, columns.name("completion"), "assistant")
        return turns


def given(answer: Any, name: str) -> Any:
    """Refuse an answer that is missing or null."""
    if answer is MISSING:
        raise FaultyRowError("no-answer", tr("'{name}' is missing", name=name))
    if answer is None:
        raise FaultyRowError("no-answer", tr("'{name}' is null", name=name))
    return answer


def side(value: Any, name: str, role: str) -> list[Message]:
    """Read one side of a row: a text said by ``role``, one turn, or a list of turns."""
    if isinstance(value, str):
        turns = _turns_in(value)
        if turns is None:
            return [_said(role, text_of(value, name))]
        value = turns
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, list):
        return read_turns(value, name)
    raise FaultyRowError(
        "wrong-type", tr("'{name}' is {kind}, not a text", name=name, kind=kind_of(value))
    )


def _said(role: str, content: str) -> Message:
    """Make a turn of the user or the assistant."""
    return Message(role="user" if role == "user" else "assistant", content=content)


def _turns_in(text: str) -> list[Any] | None:
    """Parse a cell's text that holds a list of turns; an answer may well be JSON itself."""
    if not text.startswith(("[{", "[ {", "[\n")) or not ('"role"' in text or "'role'" in text):
        return None
    turns = from_cell(text)
    is_turns = isinstance(turns, list) and all(
        isinstance(turn, dict) and {"role", "content"} <= turn.keys() for turn in turns
    )
    return turns if is_turns else None


def read_history(value: Any, name: str) -> list[Message]:
    """Read the earlier turns of a row: a list of [question, answer] pairs, or of turns."""
    if isinstance(value, str) and not value.strip():
        return []
    history = from_cell(value)
    if not isinstance(history, list):
        raise FaultyRowError(
            "wrong-type", tr("'{name}' is {kind}, not a list", name=name, kind=kind_of(value))
        )
    if history and isinstance(history[0], dict):
        return read_turns(history, name)
    return [
        message for number, pair in enumerate(history, 1) for message in _pair(pair, number, name)
    ]


def _pair(pair: Any, number: int, name: str) -> Iterator[Message]:
    """Read one pair of a history."""
    if not isinstance(pair, list) or len(pair) != 2:
        raise FaultyRowError(
            "wrong-type",
            tr(
                "entry {number} of '{name}' is not a [question, answer] pair",
                number=number,
                name=name,
            ),
        )
    for role, text in zip(("user", "assistant"), pair, strict=True):
        yield _said(role, text_of(text, Place(_ENTRY, name=name, number=number)))
