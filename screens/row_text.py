"""A row as text to edit: a part for each field or turn, or the whole of it as JSON; and back."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import json_text, visible
from screens.format import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.data.types import Shape

_TURN_TEXT = ("value", "content")
_TURN_ROLE = ("from", "role")


@dataclass(frozen=True)
class Part:
    """One text of a row, and where in the row it stands."""

    label: str
    place: tuple[str | int, ...]
    text: str
    as_json: bool = False
    """Whether it is JSON: no text, or one with signs that a terminal would act on."""
    newline: str = "\n"


def parts_of(row: dict[str, Any]) -> list[Part]:
    """Split a row: a part a field, and a part a turn where a field holds turns."""
    return [part for name, value in row.items() for part in _field_parts(name, value)]


def with_texts(row: dict[str, Any], parts: Sequence[Part], texts: Sequence[str]) -> dict[str, Any]:
    """Put edited texts back into a row.

    Raises:
        LoraDeckError: A part that is JSON is none any more; names it.
    """
    made = copy.deepcopy(row)
    for part, text in zip(parts, texts, strict=True):
        if text != part.text:
            *way, last = part.place
            holder: Any = made
            for step in way:
                holder = holder[step]
            holder[last] = _value(part, text)
    return made


def parsed_row(text: str) -> dict[str, Any]:
    """Read a row from JSON.

    Raises:
        LoraDeckError: It is none; names the place.
    """
    value = _parsed(text, tr("The row"))
    if not isinstance(value, dict):
        raise LoraDeckError(
            tr("Not a row"), tr("The row must be an object."), tr("Write it in { and }.")
        )
    return value


def blank_like(row: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """Make an empty row with the fields that another one has."""
    if not row:
        return dict.fromkeys(shape.columns.values(), "")
    return {name: _blank(value) for name, value in row.items()}


def _field_parts(name: str, value: Any) -> Iterator[Part]:
    """Split one field."""
    if not isinstance(value, list) or not value or not all(map(_is_turn, value)):
        yield _part(one_line(name), (name,), value)
        return
    for index, turn in enumerate(value):
        key = next(key for key in _TURN_TEXT if key in turn)
        role = next((str(turn[one]) for one in _TURN_ROLE if one in turn), "")
        label = one_line(f"{name} {index + 1} {role}")
        yield _part(label, (name, index, key), turn[key])


def _is_turn(value: Any) -> bool:
    """Tell whether a value is a turn that is all text."""
    return isinstance(value, dict) and any(isinstance(value.get(key), str) for key in _TURN_TEXT)


def _part(label: str, place: tuple[str | int, ...], value: Any) -> Part:
    """Make a part of one value."""
    if isinstance(value, str):
        unix = value.replace("\r\n", "\n")
        if visible(unix) == unix:
            windows = "\r\n" in value and value.count("\r\n") == value.count("\n")
            if windows or unix == value:
                return Part(label, place, unix, newline="\r\n" if windows else "\n")
    return Part(f"{label} (JSON)", place, json_text(value, 2), as_json=True)


def _value(part: Part, text: str) -> Any:
    """Read an edited part."""
    if part.as_json:
        return _parsed(text, f"'{part.label.removesuffix(' (JSON)')}'")
    return text.replace("\n", part.newline)


def _parsed(text: str, what: str) -> Any:
    """Read JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        words = tr(
            "{what} is no valid JSON: line {line}, column {column}: {reason}.",
            what=what,
            line=error.lineno,
            column=error.colno,
            reason=error.msg,
        )
        raise LoraDeckError(tr("Broken JSON"), words) from error
    except RecursionError as error:
        words = tr("{what} is nested too deep.", what=what)
        raise LoraDeckError(tr("Broken JSON"), words) from error


def _blank(value: Any) -> Any:
    """Make an empty value of the same kind; of turns, the first question and answer."""
    if isinstance(value, str) or value is None:
        return ""
    if isinstance(value, list) and value and all(map(_is_turn, value)):
        turns = [turn for turn in value if _role(turn) != "system"][:2]
        return [{**turn, **{key: "" for key in _TURN_TEXT if key in turn}} for turn in turns]
    return type(value)() if isinstance(value, (list, dict)) else value


def _role(turn: dict[str, Any]) -> str:
    """Give a turn's role."""
    return next((str(turn[one]) for one in _TURN_ROLE if one in turn), "")
