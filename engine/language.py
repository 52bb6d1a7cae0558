"""The language that the program speaks: its words are English in the code and looked up here.

A process speaks one language, which ``speak`` sets; a server answers each request in the language
that its client asks for, which ``speaking`` sets for as long as that takes. What is not translated
stays English.
"""

from __future__ import annotations

import locale
import os
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gettext
    from collections.abc import Iterable, Iterator

DOMAIN = "loradeck"
LOCALE = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
"""What can be spoken, and how each calls itself."""

_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_OF_CHILD = "LORADECK_LANGUAGE"
"""The variable of the setting ``language`` too, so that whatever asks in the child agrees."""
_spoken = "en"
_asked: ContextVar[str] = ContextVar("language", default="")


def tr(message: str, /, **values: object) -> str:
    """Translate a message, then fill its ``{names}`` in.

    Args:
        message: The English words, written out: they are collected from the code.
        values: What stands in the message's braces; without any, braces stay as they are.
    """
    words = _catalogue(spoken()).gettext(message) if message else ""  # else its header
    return words.format(**values) if values else words


def trn(one: str, many: str, count: int, **values: object) -> str:
    """Translate a message that depends on a number, which stands there as ``{count}``."""
    words = _catalogue(spoken()).ngettext(one, many, count)
    return words.format(count=count, **values)


def listed(names: Iterable[str]) -> str:
    """List names one after the other, with the language's own comma between."""
    return tr(", ").join(names)


def mark(message: str) -> str:
    """Mark a message of a constant for translation; ``tr`` translates it where it is shown."""
    return message


def spoken() -> str:
    """Tell the language that is spoken now."""
    return _asked.get() or _spoken


def speak(language: str) -> None:
    """Speak a language from now on, in this process."""
    global _spoken
    _spoken = language if language in LANGUAGES else "en"


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language for a while, where it is known; for one request, in its own context."""
    token = _asked.set(language if language in LANGUAGES else "")
    try:
        yield
    finally:
        _asked.reset(token)


def for_child() -> dict[str, str]:
    """Give the environment that makes a child process speak what is spoken here now."""
    return {_OF_CHILD: spoken()}


def speak_as_parent() -> None:
    """Speak what the parent of this process spoke when it started it."""
    speak(os.environ.get(_OF_CHILD, "en"))


def meant(setting: str) -> str:
    """Give the language that a setting means: ``auto`` is the locale's."""
    return language_of_locale() if setting == "auto" else setting


def language_of_locale() -> str:
    """Give the first known language that the environment names, in gettext's own order."""
    for variable in _VARIABLES:
        for name in os.environ.get(variable, "").split(":"):
            if language := _known(name):
                return language
        if os.environ.get(variable) and variable != "LANGUAGE":
            break  # what comes later does not count
    return "en"


def _known(name: str) -> str:
    """Give the language that a locale's name means; Chinese of any script is the one we have."""
    normal = locale.normalize(name).split(".")[0]
    if normal in LANGUAGES:
        return normal
    return {"en": "en", "zh": "zh_CN"}.get(normal.split("_")[0].split("-")[0], "")


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """Read a language's messages; English needs none."""
    import gettext

    return gettext.translation(DOMAIN, LOCALE, [language], fallback=True)
