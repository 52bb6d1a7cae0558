"""The app as the settings want it: its colours and its signs, at once where they are changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App
from textual.filter import Monochrome, NoColor

from tui.ascii import AsciiFilter
from tui.keyboard import make_bearable
from tui.palettes import ANSI
from tui.terminal import draws_glyphs, encoding_of_terminal
from tui.theme import THEMES, theme_for, with_greys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.driver import Driver
    from textual.filter import LineFilter
    from textual.theme import Theme

    from engine.settings import Settings

_ANSI_SHEET = Path(__file__).with_name("ansi.tcss")


class Shell(App[None]):
    """An app in the dashboard's own themes.

    Args:
        settings: How it is to look.
    """

    def __init__(self, settings: Settings) -> None:
        # Before Textual makes colours of one: another one makes it read all sheets once more
        self.set_reactive(App.theme, _theme(settings))
        super().__init__()
        encoding = encoding_of_terminal()
        self._encoding = encoding
        self._ascii = AsciiFilter(encoding, enabled=False)
        self._colourless = NoColor(enabled=self.no_color)
        self.look(settings)
        self.watch_theme()

    def get_driver_class(self) -> type[Driver]:
        """Take Textual's own driver, but for what it would fail at."""
        driver = super().get_driver_class()
        make_bearable(driver)
        return driver

    def look(self, settings: Settings) -> None:
        """Look as the settings say."""
        plain = not draws_glyphs(settings.glyphs, os.environ, self._encoding)
        if plain != self._ascii.enabled:
            self._ascii.enabled = plain
            self.refresh_css(animate=False)  # what was drawn is kept by its style
        self.theme = _theme(settings)

    @property
    def available_themes(self) -> dict[str, Theme]:
        """Give the dashboard's own themes beside Textual's."""
        return {**super().available_themes, **{theme.name: theme for theme in THEMES}}

    def watch_theme(self) -> None:
        """Bring the rules in for the terminal's own colours, where these are on."""
        if self.current_theme.ansi:
            self.stylesheet.read(_ANSI_SHEET)

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


def _theme(settings: Settings) -> str:
    """Name the theme of the settings; without colour, only the terminal's own will do."""
    plain = "NO_COLOR" in os.environ
    return ANSI.name if plain else theme_for(settings.theme, os.environ)
