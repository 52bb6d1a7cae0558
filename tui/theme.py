"""The dashboard's own themes: quiet greys, one teal for what acts, amber for where one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.color import Color, ColorParseError

from tui.palettes import ANSI, CONTRAST_DARK, CONTRAST_LIGHT, DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping

THEMES = (DARK, LIGHT, CONTRAST_DARK, CONTRAST_LIGHT, ANSI)
_GREYS = {"muted": 0.62, "faint": 0.25}
_GREYS_OF_LIGHT = {"muted": 0.72, "faint": 0.25}
_LIGHT_GROUNDS = ("7", "15")  # of the terminal's sixteen colours, white and bright white


def theme_for(setting: str, environment: Mapping[str, str]) -> str:
    """Name the theme that a setting means in this terminal.

    ``COLORFGBG`` holds the numbers of the terminal's own colours; only some terminals set it.
    """
    if setting == "auto":
        ground = environment.get("COLORFGBG", "").rpartition(";")[2]
        setting = "light" if ground in _LIGHT_GROUNDS else "dark"
    return f"loradeck-{setting}"


def with_greys(variables: dict[str, str]) -> dict[str, str]:
    """Add ``$muted`` for words that step back and ``$faint`` for lines, as plain colours.

    Textual's ``$text-muted`` is relative to a background, which text in several styles lacks.
    A theme may bring its own.
    """
    return {**_greys(variables["background"], variables["foreground"]), **variables}


def _greys(background: str, foreground: str) -> dict[str, str]:
    """Mix the two greys; where the terminal alone knows its colours, they are its own."""
    try:
        ground, front = Color.parse(background), Color.parse(foreground)
    except ColorParseError:
        return dict.fromkeys(_GREYS, foreground)
    if ground.ansi is not None or front.ansi is not None:
        return dict.fromkeys(_GREYS, foreground)
    shares = _GREYS if ground.brightness < front.brightness else _GREYS_OF_LIGHT
    return {name: ground.blend(front, share, alpha=1).hex for name, share in shares.items()}
