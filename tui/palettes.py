"""The colours of the dashboard's own themes."""

from __future__ import annotations

from typing import NamedTuple

from textual.theme import Theme


class Tones(NamedTuple):
    """What a theme is made of, from what is farthest to what is nearest."""

    background: str
    surface: str
    panel: str
    line: str
    """Borders without the focus, and scroll bars."""
    line_hover: str
    words: str
    """Descriptions in the last line."""
    foreground: str
    primary: str
    secondary: str
    accent: str
    success: str
    warning: str
    error: str
    selection: str


def theme(name: str, tones: Tones, *, dark: bool, **more: str) -> Theme:
    """Make a theme of its colours.

    Args:
        name: Without ``loradeck-``.
        tones: Its colours.
        dark: Whether its background is.
        more: Variables beside those that follow from the colours.
    """
    return Theme(
        name=f"loradeck-{name}",
        primary=tones.primary,
        secondary=tones.secondary,
        accent=tones.accent,
        foreground=tones.foreground,
        background=tones.background,
        surface=tones.surface,
        panel=tones.panel,
        success=tones.success,
        warning=tones.warning,
        error=tones.error,
        dark=dark,
        variables={
            "border": tones.primary,
            "border-blurred": tones.line,
            "scrollbar": tones.line,
            "scrollbar-hover": tones.line_hover,
            "scrollbar-active": tones.primary,
            "scrollbar-background": tones.background,
            "scrollbar-background-hover": tones.background,
            "scrollbar-background-active": tones.background,
            "footer-background": tones.surface,
            "footer-key-foreground": tones.accent,
            "footer-description-foreground": tones.words,
            "input-selection-background": tones.selection,
            **more,
        },
    )


DARK = theme(
    "dark",
    Tones(
        background="#15181d", surface="#1c2027", panel="#222832", line="#3a424f",
        line_hover="#586374", words="#9aa3b0", foreground="#d6dae1", primary="#4ec9b0",
        secondary="#7aa6da", accent="#f0b866", success="#8ccf7e", warning="#e8b45a",
        error="#ef6f79", selection="#4ec9b0 30%",
    ),
    dark=True,
)  # fmt: skip
LIGHT = theme(
    "light",
    Tones(
        background="#fbfaf7", surface="#f2f0ea", panel="#e9e6de", line="#c9c4b8",
        line_hover="#a9a498", words="#5b6068", foreground="#262a30", primary="#0c6a63",
        secondary="#2f5f9e", accent="#a24806", success="#35701f", warning="#875400",
        error="#b3261e", selection="#0c6a63 25%",
    ),
    dark=False,
)  # fmt: skip
CONTRAST_DARK = theme(
    "contrast-dark",
    Tones(
        background="#000000", surface="#0c0c0c", panel="#161616", line="#8c8c8c",
        line_hover="#bdbdbd", words="#e6e6e6", foreground="#ffffff", primary="#5ff0e0",
        secondary="#9ecbff", accent="#ffd75f", success="#8cf58c", warning="#ffcc66",
        error="#ff9c9c", selection="#5ff0e0 45%",
    ),
    dark=True, muted="#d0d0d0", faint="#8c8c8c",
)  # fmt: skip
CONTRAST_LIGHT = theme(
    "contrast-light",
    Tones(
        background="#ffffff", surface="#f7f7f7", panel="#eeeeee", line="#6e6e6e",
        line_hover="#3d3d3d", words="#262626", foreground="#000000", primary="#004d47",
        secondary="#0b3a75", accent="#6b2d00", success="#1a4d00", warning="#593800",
        error="#8a0000", selection="#004d47 30%",
    ),
    dark=False, muted="#303030", faint="#767676",
)  # fmt: skip
ANSI = Theme(
    name="loradeck-ansi",
    ansi=True,
    primary="ansi_cyan",
    secondary="ansi_blue",
    accent="ansi_yellow",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    variables={
        # Some palettes have a bright black that is their background: words stay plain
        "muted": "ansi_default",
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "faint": "ansi_bright_black",
        "border": "ansi_cyan",
        "border-blurred": "ansi_bright_black",
        "footer-key-foreground": "ansi_yellow",
        "scrollbar": "ansi_bright_black",
        "scrollbar-hover": "ansi_cyan",
        "scrollbar-active": "ansi_cyan",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "input-selection-background": "ansi_cyan",
        "input-selection-foreground": "ansi_black",
    },
)
