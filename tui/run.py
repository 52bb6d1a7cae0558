"""Opening the dashboard as its home's settings say, and again where these ask for it."""

from __future__ import annotations

import os
import sys

from engine.errors import LoraDeckError
from engine.home import Home
from engine.language import language_of_locale, speak, tr
from engine.settings import load_settings
from tui.app import LoraDeckApp
from tui.terminal import encoding_of_terminal, language_for


def open_dashboard() -> None:
    """Show the dashboard of the user's home.

    Raises:
        LoraDeckError: There is no terminal.
    """
    # Textual draws on standard error, or for a browser, as ``loradeck web`` asks it to.
    browser = "TEXTUAL_DRIVER" in os.environ
    if not browser and not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise LoraDeckError(
            tr("No terminal"),
            tr("The dashboard needs a terminal to draw on."),
            tr("For scripts there are commands: loradeck --help"),
        )
    run_dashboard(Home.locate())


def run_dashboard(home: Home) -> None:
    """Show the dashboard of a home until the user closes it, in the language of its settings."""
    draft = None
    while True:
        speak(language_of_locale())  # for what is wrong with the settings themselves
        settings = load_settings(home)
        speak(language_for(settings.language, encoding_of_terminal()))
        app = LoraDeckApp(home, settings=settings, draft=draft)
        app.run()
        if app.reopens is None:
            return
        draft = app.reopens
