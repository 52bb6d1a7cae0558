"""The dashboard's own themes: quiet greys, one teal for what acts, amber for where one is."""

from __future__ import annotations

from textual.color import Color, ColorParseError
from textual.theme import Theme

DARK = Theme(
    name="loradeck-dark",
    primary="#4ec9b0",
    secondary="#7aa6da",
    accent="#f0b866",
    foreground="#d6dae1",
    background="#15181d",
    surface="#1c2027",
    panel="#222832",
    success="#8ccf7e",
    warning="#e8b45a",
    error="#ef6f79",
    dark=True,
    variables={
        "border": "#4ec9b0",
        "border-blurred": "#3a424f",
        "scrollbar": "#3a424f",
        "scrollbar-hover": "#586374",
        "scrollbar-active": "#4ec9b0",
        "scrollbar-background": "#15181d",
        "scrollbar-background-hover": "#15181d",
        "scrollbar-background-active": "#15181d",
        "footer-background": "#1c2027",
        "footer-key-foreground": "#f0b866",
        "footer-description-foreground": "#9aa3b0",
        "input-selection-background": "#4ec9b0 30%",
    },
)
LIGHT = Theme(
    name="loradeck-light",
    primary="#0f766e",
    secondary="#2f5f9e",
    accent="#b4530a",
    foreground="#262a30",
    background="#fbfaf7",
    surface="#f2f0ea",
    panel="#e9e6de",
    success="#3c7a24",
    warning="#9a6206",
    error="#b3261e",
    dark=False,
    variables={
        "border": "#0f766e",
        "border-blurred": "#c9c4b8",
        "scrollbar": "#c9c4b8",
        "scrollbar-hover": "#a9a498",
        "scrollbar-active": "#0f766e",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "footer-background": "#f2f0ea",
        "footer-key-foreground": "#b4530a",
        "footer-description-foreground": "#5b6068",
        "input-selection-background": "#0f766e 25%",
    },
)
THEMES = (DARK, LIGHT)
_GREYS = {"muted": 0.62, "faint": 0.25}


def with_greys(variables: dict[str, str]) -> dict[str, str]:
    """Add ``$muted`` for words that step back and ``$faint`` for lines, as plain colours.

    Textual's ``$text-muted`` is relative to a background, which text in several styles lacks.
    """
    try:
        ground = Color.parse(variables["background"])
        front = Color.parse(variables["foreground"])
    except ColorParseError:
        return {**variables, **dict.fromkeys(_GREYS, variables["foreground"])}
    greys = {name: ground.blend(front, share, alpha=1).hex for name, share in _GREYS.items()}
    return {**variables, **greys}
