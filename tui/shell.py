"""The app as the settings want it: its colours and its signs, at once where they are changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from textual.app import App
from textual.filter import Monochrome, NoColor

from tui.ascii import AsciiFilter
from tui.palettes import ANSI
from tui.terminal import draws_glyphs, encoding_of_terminal
from tui.theme import THEMES, theme_for, with_greys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.filter import LineFilter

    from engine.settings import Settings


class Shell(App[None]):
    """An app in the dashboard's own themes.

    Args:
        settings: How it is to look.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        encoding = encoding_of_terminal()
        self._encoding = encoding
        self._ascii = AsciiFilter(encoding, enabled=False)
        self._colourless = NoColor(enabled=self.no_color)
        for theme in THEMES:
            self.register_theme(theme)
        self.look(settings)

    def look(self, settings: Settings) -> None:
        """Look as the settings say; without colour, only the terminal's own will do."""
        plain = not draws_glyphs(settings.glyphs, os.environ, self._encoding)
        if plain != self._ascii.enabled:
            self._ascii.enabled = plain
            self.refresh_css(animate=False)  # what was drawn is kept by its style
        self.theme = ANSI.name if self.no_color else theme_for(settings.theme, os.environ)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Add those that take colours and signs out.

        Textual's own for ``NO_COLOR`` leaves greys, and fails where a plot has no style at all.
        """
        others = (one for one in super().get_line_filters() if not isinstance(one, Monochrome))
        own = (self._ascii, self._colourless)
        return [*others, *(one for one in own if one.enabled)]

    def get_css_variables(self) -> dict[str, str]:
        """Add two greys between foreground and background to whatever theme is on."""
        return with_greys(super().get_css_variables())

    def write_terminal(self, sequence: str) -> None:
        """Write a sequence to the terminal itself, past the screen."""
        if self._driver is not None:
            self._driver.write(sequence)
