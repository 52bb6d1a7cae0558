"""Sampling settings as they are written, read, and summed up in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.results.chat.types import Sampling
from screens.format import one_line
from screens.parameters import limits_words, value_words

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = tuple(Sampling.model_fields)
_MAY_BE_EMPTY = ("seed", "stop")
_BETWEEN = "|"
_BRIEF = {
    "temperature": mark("0 always takes the likeliest token"),
    "top_p": mark("share of the likeliest tokens kept"),
    "top_k": mark("likeliest tokens kept, 0 for all"),
    "repetition_penalty": mark("above 1, fewer repetitions"),
    "max_tokens": mark("the longest answer"),
    "seed": mark("the same seed, the same answer"),
    "stop": mark("texts that end it, | between them"),
}
_SHORT = 40  # characters of what was written, in a message


def setting_meaning(key: str) -> str:
    """Say what a setting means, in few enough words to stand beside its field."""
    return tr(_BRIEF[key])


def written(sampling: Sampling) -> dict[str, str]:
    """Write every setting as it stands in its field."""
    values = {key: _value(getattr(sampling, key)) for key in KEYS if key != "stop"}
    stop = f" {_BETWEEN} ".join(text.replace("\n", "\\n") for text in sampling.stop)
    return {**values, "stop": stop}


def _value(value: Any) -> str:
    """Write a number; nothing where there is none."""
    return "" if value is None else value_words(value)


def read_sampling(values: Mapping[str, str]) -> Sampling:
    """Read settings as they were written.

    Raises:
        LoraDeckError: One of them is no number, or out of its range.
    """
    given: dict[str, Any] = {
        key: text.strip() or (None if key in _MAY_BE_EMPTY else "") for key, text in values.items()
    }
    given["stop"] = _stops(values["stop"])
    try:
        return Sampling.model_validate(given)
    except ValidationError as error:
        key = str(error.errors(include_url=False)[0]["loc"][0])
        raise _refused(key, values[key].strip()) from error


def _stops(text: str) -> tuple[str, ...]:
    """Read the texts at which an answer ends."""
    parts = (part.strip() for part in text.split(_BETWEEN))
    return tuple(part.replace("\\n", "\n") for part in parts if part)


def _refused(key: str, text: str) -> LoraDeckError:
    """Say which setting will not do, and what it takes."""
    title = tr("Setting out of range")
    if key == "stop":
        return LoraDeckError(title, tr("stop takes at most 16 texts."))
    takes = limits_words(Sampling.model_fields[key])
    if key in _MAY_BE_EMPTY:
        takes = tr("{limits}, or nothing", limits=takes)
    if not text:
        return LoraDeckError(title, tr("{key} takes {limits}; not nothing.", key=key, limits=takes))
    given = one_line(text)[:_SHORT]
    words = tr("{key} takes {limits}; not '{given}'.", key=key, limits=takes, given=given)
    return LoraDeckError(title, words)


def sampling_words(sampling: Sampling) -> str:
    """Sum the settings up: what is always of interest, and what is not as usual."""
    usual = Sampling()
    words = [
        tr("temperature {value}", value=f"{sampling.temperature:g}"),
        tr("at most {count} tokens", count=f"{sampling.max_tokens:,}"),
    ]
    words += [
        f"{key} {_value(getattr(sampling, key))}"
        for key in ("top_p", "top_k", "repetition_penalty", "seed")
        if getattr(sampling, key) != getattr(usual, key)
    ]
    return " · ".join(words)
