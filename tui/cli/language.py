"""The command line in the language of the home's settings: help is translated as it is built."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.home import Home
from engine.language import DOMAIN, LOCALE, language_of_locale, mark, speak, spoken, tr
from engine.settings import load_settings
from tui.terminal import encoding_of_terminal, language_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import typer

EXAMPLE = "Example: "
"""What every example in a help begins with; the command behind it is the same in any language."""
OF_TYPER = (
    mark("Arguments"),
    mark("Options"),
    mark("Commands"),
    mark("Error"),
    mark("Aborted."),
    mark("[default: {}]"),
    mark("[env var: {}]"),
    mark("[required]"),
    mark("Try [blue]'{command_path} {help_option}'[/] for help."),
    mark("Missing command."),
    mark("No such command {name!r}."),
)
"""What typer says itself; it asks gettext, which ``_lend_words`` leads to our catalogue."""


def speak_as_set() -> None:
    """Speak as the home's settings say; as the locale does where they cannot be read."""
    speak(language_for("auto", encoding_of_terminal()))
    with suppress(LoraDeckError):  # what needs the settings will say so
        speak(language_for(load_settings(Home.locate()).language, encoding_of_terminal()))


def speak_for_programs(wanted: bool) -> bool:
    """Speak English where JSON is wanted: a program may look for its words."""
    if wanted:
        speak("en")
    return wanted


def command_of(app: typer.Typer) -> Any:
    """Build all commands, with their help in the language that is spoken."""
    from typer.main import get_command

    command = get_command(app)
    if spoken() != "en":
        _lend_words()
        for owner, name in help_of(command, command.context_settings):
            setattr(owner, name, _translated(getattr(owner, name)))
    return command


def help_of(command: Any, settings: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    """Find the texts of a command and all below it: what bears one, and as which attribute."""
    import typer

    for name in ("help", "epilog"):
        if getattr(command, name):
            yield command, name
    for option in (*command.params, command.get_help_option(typer.Context(command, **settings))):
        for name in ("help", "show_default"):
            if isinstance(getattr(option, name, None), str):
                yield option, name
    for below in getattr(command, "commands", {}).values():
        yield from help_of(below, settings)


def _translated(text: str) -> str:
    """Translate a text; of an example only what it is called."""
    if text.startswith(EXAMPLE):
        return tr("Example: {command}", command=text.removeprefix(EXAMPLE))
    return tr(text)


def _lend_words() -> None:
    """Let gettext, which knows the language from the environment alone, look into our catalogue."""
    import gettext

    gettext.bindtextdomain(DOMAIN, LOCALE)
    gettext.textdomain(DOMAIN)
    if spoken() != language_of_locale():
        os.environ["LANGUAGE"] = spoken()
