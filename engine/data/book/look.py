"""What a working copy keeps of a row beside its value: codes, fault, a line to show, its text."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.data.checks import ROW_CHECKS
from engine.data.checks.row_text import RowText
from engine.data.faults import FaultyRowError
from engine.data.words import kind_of
from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from engine.data.types import Conversation

    Normalize = Callable[[Mapping[str, Any], int], Conversation]

MOST_CHARACTERS = 32_000_000
"""Of a row, as JSON."""
MOST_LEVELS = 100
"""Lists and objects within each other; JSON writers give up at a few hundred."""
_SUMMARY = 160
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Look:
    """One row, looked at by itself."""

    value: str | None
    """As JSON; ``None`` of a row that cannot be read."""
    codes: tuple[str, ...]
    fault: str
    summary: str
    text: bytes
    """All texts in the row, folded to one case: one line of UTF-8."""
    said: RowText | None = None
    """What it says, to be compared with other rows; ``None`` where it cannot train."""


def look(value: Mapping[str, Any], number: int, normalize: Normalize) -> Look:
    """Look at the row with this number; ``normalize`` is what ``normalizer`` makes of its shape.

    Raises:
        FaultyRowError: It cannot be kept: too large, or nested too deep.
    """
    written = as_json(value)
    found = list(texts(value))
    text = folded("\n".join(found))
    try:
        conversation = normalize(value, number)
    except FaultyRowError as error:
        line = one_line(next(iter(found), ""))
        return Look(written, (error.code,), visible(error.detail), line, text)
    said = RowText(conversation)
    codes = {code: None for check in ROW_CHECKS for code, _ in check(said)}
    return Look(written, tuple(codes), "", one_line(_first_text(conversation)), text, said)


def unreadable(error: FaultyRowError) -> Look:
    """Keep the place of a row that cannot be read."""
    return Look(None, (error.code,), visible(error.detail), "", b"")


def as_json(value: Mapping[str, Any]) -> str:
    """Write a row as one line of JSON that every reader takes.

    Raises:
        FaultyRowError: It is too large, or nested too deep.
    """
    try:
        written = _write(value)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # not a number, or infinite: JSON knows neither
        written = _write(_without_nan(value))
    if len(written) > MOST_CHARACTERS:
        raise FaultyRowError(
            "too-large", tr("it has {characters:,} characters", characters=len(written))
        )
    if written.count("[") + written.count("{") > MOST_LEVELS and _levels(value) > MOST_LEVELS:
        raise _too_deep()
    return written


def checked(value: Any) -> dict[str, Any]:
    """Refuse a value that is no row.

    Raises:
        LoraDeckError: It is no JSON object, or too large.
    """
    if not isinstance(value, dict):
        raise LoraDeckError(
            tr("Row is not an object"),
            tr("The row is {kind}, not an object.", kind=kind_of(value)),
            tr('Write it as an object: {"instruction": "…", "output": "…"}.'),
        )
    try:
        as_json(value)
    except FaultyRowError as error:
        raise LoraDeckError(
            tr("Row cannot be kept"),
            tr("The row cannot be kept: {detail}.", detail=error.detail),
            tr("Shorten it."),
        ) from None
    return value


def read_value(written: str | None) -> dict[str, Any]:
    """Read a row as it is kept, with a sign in the place of half characters."""
    if written is None:
        return {}
    value = json.loads(written)
    if "\\ud" in written.lower():
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return dict(value)


def texts(value: Any) -> Iterator[str]:
    """Give all texts in a value, in order; keys are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value) if not isinstance(value, int) else format(value, "d")[:4000]


def folded(text: str) -> bytes:
    """Fold a text to one case, as one line of UTF-8."""
    return text.casefold().encode("utf-8", "replace").replace(b"\n", b" ")


def one_line(text: str) -> str:
    """Shorten a text to a line that is safe to show."""
    line = visible(_SPACE.sub(" ", text[: _SUMMARY * 4]).strip())
    return line if len(line) <= _SUMMARY else line[: _SUMMARY - 1] + "…"


def _first_text(conversation: Conversation) -> str:
    """Give the first question, or else whatever is said first."""
    said = [one.content for one in conversation.messages if one.role == "user"]
    said += [one.content for one in conversation.messages]
    return next((text for text in said if text.strip()), "")


def _write(value: Any) -> str:
    """Write JSON; half characters stay the escapes that they were."""
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    try:
        written.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, default=str)
    return written


def _without_nan(value: Any) -> Any:
    """Put null in the place of numbers that JSON does not know."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return value


def _levels(value: Any) -> int:
    """Count how deep lists and objects lie within each other, without recursion."""
    levels, layer = 0, [value]
    while layer := [one for one in layer if isinstance(one, (dict, list))]:
        levels += 1
        layer = [item for one in layer for item in (one.values() if isinstance(one, dict) else one)]
    return levels


def _too_deep() -> FaultyRowError:
    """Say that a row is nested too deep."""
    return FaultyRowError(
        "too-deep", tr("it is nested more than {levels} deep", levels=MOST_LEVELS)
    )
