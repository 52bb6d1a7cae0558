"""Opening the dashboard as its home's settings say, and again where these ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import language_of_locale, speak
from engine.settings import load_settings
from tui.app import LoraDeckApp
from tui.terminal import encoding_of_terminal, language_for

if TYPE_CHECKING:
    from engine.home import Home


def run_dashboard(home: Home) -> None:
    """Show the dashboard of a home until the user closes it, in the language of its settings."""
    begin = ""
    while True:
        speak(language_of_locale())  # for what is wrong with the settings themselves
        settings = load_settings(home)
        speak(language_for(settings.language, encoding_of_terminal()))
        app = LoraDeckApp(home, settings=settings, begin=begin)
        app.run()
        if not app.reopens:
            return
        begin = app.reopens
