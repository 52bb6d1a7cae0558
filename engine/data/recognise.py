"""Recognise a shape in columns whose kinds are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from engine.data.profile import Kind
from engine.data.synonyms import (
    ANSWER_NAMES,
    CONTEXT_NAMES,
    FIELDS,
    QUESTION_NAMES,
    RANKS,
    fold,
    is_label,
    words_of,
)
from engine.data.types import Shape

if TYPE_CHECKING:
    from engine.data.types import DatasetType

_TEXTS: Final = frozenset({"text", "json"})
_TURNS: Final = frozenset({"from", "role", "pair"})
_SIDES: Final = _TEXTS | _TURNS | {"turn"}
_FITTING: Final[dict[str, frozenset[str]]] = {
    "conversations": _TURNS,
    "messages": _TURNS,
    "history": frozenset({"list", "json"}) | _TURNS,
    "tools": frozenset({"list", "object", "json"}),
    "prompt": _SIDES,
    "completion": _SIDES,
    "chosen": _SIDES,
    "rejected": _SIDES,
}
"""The kinds that a field takes under a name that is not its own; otherwise texts."""

_PLAIN_ANSWERS: Final = frozenset({"output", "completion", "response", "answer", "reply"})
"""Under these names even a number is an answer, only written wrongly."""

_OPTIONAL_TEXTS: Final = frozenset({"input", "system"})
"""Columns that are often empty in the first rows."""


def recognise(kinds: Mapping[str, Kind], *, loose: bool = False) -> Shape | None:
    """Name the shape of rows with these columns; ``loose`` where nothing better is to be had."""
    rules = _LOOSE_RULES if loose else _RULES
    return next((shape for rule in rules if (shape := rule(kinds))), None)


def fill(
    dataset_type: DatasetType, kinds: Mapping[str, Kind], fixed: Mapping[str, str]
) -> dict[str, str]:
    """Find the columns of a type's fields, beside those that are fixed."""
    columns = dict(fixed)
    for fields in FIELDS[dataset_type]:
        for field in fields:
            if field not in columns and (column := pick(field, kinds, columns)):
                columns[field] = column
    return columns


def pick(field: str, kinds: Mapping[str, Kind], taken: Mapping[str, str]) -> str | None:
    """Choose the column for a field: of a fitting kind first, then by its name."""
    fitting = _FITTING.get(field, _TEXTS)
    candidates = []
    for column, kind in kinds.items():
        name = fold(column)
        rank = RANKS[field].get(name)
        if rank is None or column in taken.values():
            continue
        fits = kind in fitting or (kind == "null" and name == field)
        if fits or name == field or _will_do(field, name, kind):
            candidates.append((not fits, rank, column))
    return min(candidates)[2] if candidates else None


def _will_do(field: str, name: str, kind: Kind) -> bool:
    """Tell whether a column may hold a field although its values do not show it."""
    if kind == "null":
        return field in _OPTIONAL_TEXTS or name in _PLAIN_ANSWERS
    return kind == "number" and name in _PLAIN_ANSWERS


def make_shape(dataset_type: DatasetType, columns: Mapping[str, str]) -> Shape:
    """Make a shape with its columns in the order of the type's fields."""
    order = [field for fields in FIELDS[dataset_type] for field in fields]
    ordered = {field: columns[field] for field in order if field in columns}
    guessed = any(column and fold(field) != fold(column) for field, column in ordered.items())
    return Shape(dataset_type=dataset_type, columns=ordered, guessed=guessed)


def _complete(
    dataset_type: DatasetType, kinds: Mapping[str, Kind], fixed: Mapping[str, str] | None = None
) -> Shape | None:
    """Make the shape of this type, if the columns have all it needs."""
    columns = fill(dataset_type, kinds, fixed or {})
    if all(field in columns for field in FIELDS[dataset_type][0]):
        return make_shape(dataset_type, columns)
    return None


def _preference(kinds: Mapping[str, Kind]) -> Shape | None:
    """Recognise chosen and rejected; what comes before may be a text or a list of turns."""
    shape = _complete("preference", kinds)
    if shape is None or "prompt" in shape.columns:
        return shape
    dialog = pick("conversations", kinds, shape.columns)
    return make_shape("preference", shape.columns | ({"prompt": dialog} if dialog else {}))


def _dialog(kinds: Mapping[str, Kind]) -> Shape | None:
    """Recognise a column of turns by its name; their form tells ShareGPT's from OpenAI's."""
    column = pick("conversations", kinds, {}) or pick("messages", kinds, {})
    if column is None or kinds[column] not in _TURNS | {"null"}:
        return None
    return _of_turns(column, kinds)


def _of_turns(column: str, kinds: Mapping[str, Kind]) -> Shape | None:
    """Make the shape of rows with the turns in this column."""
    is_messages = kinds[column] == "role" or (
        kinds[column] not in _TURNS and fold(column) == "messages"
    )
    if is_messages:
        return _complete("messages", kinds, {"messages": column})
    return _complete("sharegpt", kinds, {"conversations": column})


def _alpaca(kinds: Mapping[str, Kind]) -> Shape | None:
    """Recognise an instruction and its answer."""
    return _complete("alpaca", kinds)


def _prompt_completion(kinds: Mapping[str, Kind]) -> Shape | None:
    """Recognise a question and its answer; with a context beside them they are Alpaca's."""
    shape = _complete("prompt_completion", kinds)
    if shape is None:
        return None
    prompt, completion = shape.columns["prompt"], shape.columns["completion"]
    is_weak = fold(completion) not in ANSWER_NAMES
    if is_weak and any(fold(column) == "text" for column in kinds):
        return None  # a corpus with summaries beside its texts
    if (fold(prompt), fold(completion)) == ("prompt", "completion"):
        return shape
    texts = [column for column, kind in kinds.items() if kind in _TEXTS]
    context = [one for one in texts if fold(one) in CONTEXT_NAMES - {fold(prompt)}]
    if context and kinds[prompt] in _TEXTS and fold(prompt) in QUESTION_NAMES:
        fixed = {"instruction": prompt, "input": context[0], "output": completion}
        return _complete("alpaca", kinds, fixed)
    return shape


def _turns_by_value(kinds: Mapping[str, Kind]) -> Shape | None:
    """Recognise a column of turns under any name."""
    column = next((one for one, kind in kinds.items() if kind in ("from", "role")), None)
    return _of_turns(column, kinds) if column else None


def _text(kinds: Mapping[str, Kind]) -> Shape | None:
    """Recognise a column of plain text by its name."""
    return _complete("text", kinds)


def _by_words(kinds: Mapping[str, Kind]) -> Shape | None:
    """Recognise a question and its answer by words within the names, where just one has each."""
    texts = [column for column, kind in kinds.items() if kind in _TEXTS and not is_label(column)]
    asking = [one for one in texts if not QUESTION_NAMES.isdisjoint(words_of(one))]
    answering = [one for one in texts if not ANSWER_NAMES.isdisjoint(words_of(one))]
    if len(asking) == len(answering) == 1 and asking != answering:
        fixed = {"prompt": asking[0], "completion": answering[0]}
        return _complete("prompt_completion", kinds, fixed)
    return None


def _dialog_by_name(kinds: Mapping[str, Kind]) -> Shape | None:
    """Take the standard column of turns as such whatever it holds: its faults are told by row."""
    column = next((one for one in kinds if fold(one) in ("conversations", "messages")), None)
    return _of_turns(column, kinds) if column else None


def _only_text(kinds: Mapping[str, Kind]) -> Shape | None:
    """Take the only column of text, unless its name says that it only asks."""
    texts = [column for column, kind in kinds.items() if kind in _TEXTS and not is_label(column)]
    if len(texts) == 1 and fold(texts[0]) not in QUESTION_NAMES:
        return make_shape("text", {"text": texts[0]})
    return None


_Rule = Callable[[Mapping[str, Kind]], Shape | None]
_RULES: Final[tuple[_Rule, ...]] = (
    *(_preference, _dialog, _alpaca, _prompt_completion, _turns_by_value, _text),
)
_LOOSE_RULES: Final[tuple[_Rule, ...]] = (_by_words, _dialog_by_name, _only_text)
