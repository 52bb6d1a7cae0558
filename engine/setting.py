"""One setting: what a field of ``Settings`` says about itself, and how a given value is read.

Without pydantic: the dashboard reads its settings before its first frame, which that import
would make a quarter dearer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from engine.language import listed, tr

_SWITCH = {
    "true": True, "yes": True, "on": True, "1": True,
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip
_KEY = "about"


@dataclass(frozen=True)
class About:
    """What is known of a setting."""

    default: Any
    meaning: str
    """A sentence, marked for translation."""
    options: tuple[str, ...] = ()
    """The values to choose from; none where any text or number will do."""
    above: float = -math.inf
    least: float = -math.inf
    most: float = math.inf

    @property
    def choices(self) -> tuple[Any, ...]:
        """Give the values to choose from; none where one is typed."""
        return (True, False) if isinstance(self.default, bool) else self.options

    def read(self, given: Any) -> Any:
        """Read a value from a file, the environment or a field.

        Raises:
            ValueError: It is of another kind or out of range; its words say what would do.
        """
        value = _of_kind(type(self.default), given)
        if value is None or not self._allows(value):
            raise ValueError(tr("it takes {values}", values=self.range_words()))
        return value

    def _allows(self, value: Any) -> bool:
        """Tell whether a value of the right kind is within its range."""
        if isinstance(value, str):
            return not self.options or value in self.options
        return bool(self.above < value and self.least <= value <= self.most)

    def range_words(self) -> str:
        """Say which values it takes."""
        if isinstance(self.default, bool):
            return tr("true or false")
        if isinstance(self.default, str):
            *others, last = self.options or (tr("a text"),)
            return tr("{values} or {last}", values=listed(others), last=last) if others else last
        whole = isinstance(self.default, int)
        limits = [tr("a whole number") if whole else tr("a number")]
        if self.above > -math.inf:
            limits.append(tr("above {limit}", limit=f"{self.above:g}"))
        if self.least > -math.inf:
            limits.append(tr("at least {limit}", limit=f"{self.least:g}"))
        if self.most < math.inf:
            limits.append(tr("at most {limit}", limit=f"{self.most:g}"))
        return listed(limits)


def setting(default: Any, meaning: str, **limits: Any) -> Any:
    """Make a field of ``Settings``.

    Args:
        default: Its value where nothing is set; its type is the setting's.
        meaning: Its sentence, marked for translation.
        limits: ``options``, ``above``, ``least`` and ``most`` of ``About``.
    """
    return field(default=default, metadata={_KEY: About(default, meaning, **limits)})


def about(metadata: Any) -> About:
    """Give what a field of ``Settings`` says about itself."""
    known: About = metadata[_KEY]
    return known


def _of_kind(kind: type, given: Any) -> Any:
    """Make a value of a kind, or ``None`` where that would be another one."""
    if isinstance(given, kind) and not (kind is int and isinstance(given, bool)):
        return kind(given)  # of tomlkit's own type of that kind too
    if isinstance(given, str):
        return _from_text(kind, given.strip())
    if kind is float and isinstance(given, int) and not isinstance(given, bool):
        return float(given)
    return None


def _from_text(kind: type, text: str) -> Any:
    """Read a value that was typed."""
    if kind is bool:
        return _SWITCH.get(text.lower())
    try:
        return kind(text)
    except ValueError:
        return None
