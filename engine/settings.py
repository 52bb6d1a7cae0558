"""The user's settings: ``settings.toml`` in the home, each field overridable by environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.files import read_plain, write_atomic
from engine.language import mark, meant, tr
from engine.setting import about, setting
from engine.text import fault_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engine.home import Home
    from engine.setting import About

KEYMAP = "keymap"
"""The table of the user's own keys."""


@dataclass(frozen=True)
class Settings:
    """What can be set; ``LORADECK_<FIELD>`` in the environment goes before the file."""

    theme: str = setting(
        "auto",
        mark("The colours; auto is dark, unless the terminal says that its background is light."),
        options=("auto", "dark", "light", "contrast-dark", "contrast-light", "ansi"),
    )
    glyphs: str = setting(
        "auto",
        mark("Whether lines, blocks and signs are drawn, or plain ASCII in their place."),
        options=("auto", "unicode", "ascii"),
    )
    refresh_seconds: float = setting(
        0.2, mark("The screen shows what is new this often; in seconds."), least=0.1, most=5.0
    )
    title: bool = setting(True, mark("Show the running task and its progress as terminal title."))
    language: str = setting(
        "auto",
        mark("The language of dashboard and commands; auto takes it from the locale."),
        options=("auto", "en", "zh_CN"),
    )
    bell: bool = setting(
        False, mark("Ring the terminal's bell when a training has finished, failed or paused.")
    )
    notifications: str = setting(
        "off",
        mark("Also send a desktop notification, by the sequence that your terminal knows."),
        options=("off", "osc9", "osc777"),
    )
    default_model: str = setting("", mark("The base model that a new training begins with."))
    default_preset: str = setting("", mark("The preset that a new training's plan starts from."))
    idle_minutes: float = setting(
        10.0,
        mark("The engine server ends after this long without a task, a client or a request."),
        above=0,
    )
    spare_worker: bool = setting(
        True,
        mark("Keep a worker with its imports done, so that a training starts at once (500 MB)."),
    )
    spare_idle_minutes: float = setting(
        10.0, mark("The spare worker ends after this long without a task."), above=0
    )
    spare_free_gb: float = setting(
        3.0, mark("Keep no spare worker while less memory than this is free."), least=0
    )
    stop_grace_seconds: float = setting(
        30.0,
        mark("How long the worker of a cancelled task may take to end before it is killed."),
        above=0,
    )
    tasks_per_gpu: int = setting(
        4, mark("How many trainings may share a GPU where their memory fits."), least=1
    )
    tasks_per_cpu: int = setting(
        1,
        mark("How many trainings may share the CPU where they fit; each makes the others slower."),
        least=1,
    )
    disk_reserve_mb: float = setting(
        100.0,
        mark(
            "A training pauses where less than this would stay free on the disk,"
            " and goes on when there is room."
        ),
        least=0,
    )
    chat_idle_minutes: float = setting(
        5.0,
        mark("The model of a chat leaves the memory after this long without a question."),
        above=0,
    )
    clear_checkpoints: bool = setting(
        False, mark("Remove a task's checkpoints once its adapter is saved.")
    )
    keymap: Mapping[str, str] = field(default_factory=dict)
    """The user's own keys, with commas between, by the id of what they do."""


ABOUT: dict[str, About] = {
    one.name: about(one.metadata) for one in fields(Settings) if one.metadata
}
"""What is known of each setting, by its name."""


def load_settings(home: Home) -> Settings:
    """Read the settings of a home.

    Raises:
        LoraDeckError: The file is not TOML, or a value is unknown or out of range.
    """
    values = _checked(_values(home.settings_file), home.settings_file)
    for key in ABOUT:
        if (given := overriding(key)) is not None:
            values[key] = _read(variable(key), key, given)
    return Settings(**values)


def language_of(home: Home) -> str:
    """Give the language that a home's settings name, else the locale's.

    Raises:
        LoraDeckError: The settings are of no use.
    """
    return meant(load_settings(home).language)


def overriding(key: str) -> str | None:
    """Give what the environment says of a setting, which goes before the file."""
    return os.environ.get(variable(key))


def variable(key: str) -> str:
    """Name the environment variable of a setting."""
    return f"LORADECK_{key.upper()}"


def save_settings(home: Home, changes: Mapping[str, Any]) -> Settings:
    """Change some settings in the file; everything else in it stays as the user wrote it.

    Args:
        home: The home whose settings these are.
        changes: The new values; ``None`` takes one out, so that its default comes again. Under
            ``keymap`` lies such a mapping of its own.

    Returns:
        The settings as they are now.

    Raises:
        LoraDeckError: The file cannot be used as it is, or a value is out of range: then it stays.
    """
    import tomlkit  # not needed to show the dashboard

    place = home.settings_file
    _checked(_values(place), place)
    document = tomlkit.parse(_text(place))
    for key, value in changes.items():
        if key == KEYMAP:
            _change(document.setdefault(KEYMAP, tomlkit.table()), value)
        else:
            _change(document, {key: None if value is None else _read(key, key, value)})
    try:
        write_atomic(place.resolve(), tomlkit.dumps(document))  # where a link leads to
    except OSError as error:
        raise _unusable(str(place), str(error.strerror or error)) from error
    return load_settings(home)


def _change(table: Any, changes: Mapping[str, Any]) -> None:
    """Change a table of the file."""
    for key, value in changes.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value


def _values(place: Path) -> dict[str, Any]:
    """Read a file's values; none where there is no file.

    Raises:
        LoraDeckError: It is no plain file, or not TOML.
    """
    if not (text := _text(place)):
        return {}
    import tomllib  # of which most users have no need

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unusable(str(place), str(error)) from error


def _text(place: Path) -> str:
    """Read the file; empty where there is none."""
    try:
        return read_plain(place).decode()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise _unusable(str(place), str(error)) from error


def _checked(given: Mapping[str, Any], place: Path) -> dict[str, Any]:
    """Read a file's values."""
    keymap = given.get(KEYMAP, {})
    if not isinstance(keymap, dict):
        raise _unusable(f"{place}: {KEYMAP}", tr("it is no table"))
    values = {
        key: _read(f"{place}: {key}", key, value) for key, value in given.items() if key != KEYMAP
    }
    return values | {KEYMAP: {key: str(keys) for key, keys in keymap.items()}}


def _read(place: str, key: str, given: Any) -> Any:
    """Read one value."""
    if key not in ABOUT:
        raise _unusable(place, tr("no such setting"))
    try:
        return ABOUT[key].read(given)
    except ValueError as error:
        raise _unusable(place, str(error)) from error


def _unusable(place: str, reason: str) -> LoraDeckError:
    """Put a fault of the settings into words."""
    return LoraDeckError(
        tr("Settings not usable"),
        fault_of(place, reason),
        tr("Mend or remove it."),
    )
