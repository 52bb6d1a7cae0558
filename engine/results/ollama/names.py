"""What Ollama takes as a model's name, checked before anything is made.

The rules are those of Ollama's own ``types/model/name.go``.
"""

from __future__ import annotations

import re

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.text import visible

_LONGEST = 80
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}")
_LATEST = ":latest"


def check_model_name(name: str) -> str:
    """Give a name that Ollama will take: ``[[host/]namespace/]model[:tag]``.

    Raises:
        LoraDeckError: It would refuse it; says which part, and why.
    """
    path, colon, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "")
    *before, model = path.split("/")
    if len(before) > 2:
        raise _refused(name, tr("it has more than two slashes"))
    _check(name, tr("the model's name"), model, _PART)
    if colon:
        _check(name, tr("the tag"), tag, _PART)
        if tag == "cloud" or tag.endswith("-cloud"):
            raise _refused(name, tr("tags that end in cloud mean models that run on ollama.com"))
    if before:
        _check(name, tr("the namespace"), before[-1], _NAMESPACE)
    if len(before) == 2 and not _HOST.fullmatch(before[0]):
        raise _refused(name, tr("'{host}' is no host", host=visible(before[0])))
    return name


def default_name(adapter: str) -> str:
    """Make a name that Ollama takes out of an adapter's, in small letters as is usual there."""
    plain = re.sub(r"[^a-z0-9_.-]+", "-", adapter.lower())
    return re.sub(r"^[^a-z0-9_]+|[.-]+$", "", plain)[:_LONGEST].rstrip(".-") or "adapter"


def same_model(one: str, other: str) -> bool:
    """Tell whether two names mean the same model: case does not matter, nor a missing tag."""
    return _full(one) == _full(other)


def _full(name: str) -> str:
    """Write a name out, in small letters."""
    name = name.lower().removeprefix("registry.ollama.ai/").removeprefix("library/")
    return name if ":" in name.rpartition("/")[2] else name + _LATEST


def _check(name: str, what: str, part: str, pattern: re.Pattern[str]) -> None:
    """Refuse a name one part of which does not fit."""
    if not part:
        raise _refused(name, tr("{part} is empty", part=what))
    if len(part) > _LONGEST:
        raise _refused(
            name,
            tr(
                "{part} has {count} characters, at most {most} are allowed",
                part=what,
                count=len(part),
                most=_LONGEST,
            ),
        )
    if not pattern.fullmatch(part):
        words = (
            mark(
                "{part} may hold letters, digits, _, - and ., and begins with a letter, digit or _"
            )
            if pattern is _PART
            else mark(
                "{part} may hold letters, digits, _ and -, and begins with a letter, digit or _"
            )
        )
        raise _refused(name, tr(words, part=what))


def _refused(name: str, reason: str) -> LoraDeckError:
    """Refuse a name before Ollama does."""
    return LoraDeckError(
        tr("Not a name for Ollama"),
        tr("Ollama would refuse '{name}': {reason}.", name=visible(name)[:200], reason=reason),
        tr("Choose another, such as my-model or my-model:v2 (--name)."),
    )
