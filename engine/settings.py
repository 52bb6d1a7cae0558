"""The user's settings: ``settings.toml`` in the home, each field overridable by environment."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import LoraDeckError
from engine.language import language_of_locale, tr

if TYPE_CHECKING:
    from engine.home import Home


class Settings(BaseModel):
    """What can be set; ``LORADECK_<FIELD>`` in the environment goes before the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    language: Literal["auto", "en", "zh_CN"] = "auto"
    """The dashboard's language; ``auto`` takes it from the locale."""
    idle_minutes: float = Field(10.0, gt=0)
    """The engine server ends after this long without a task, a client or a request."""
    spare_worker: bool = True
    """Keep a worker with its imports done, so that a training starts at once (500 MB)."""
    spare_idle_minutes: float = Field(10.0, gt=0)
    """The spare worker ends after this long without a task."""
    spare_free_gb: float = Field(3.0, ge=0)
    """Keep no spare worker while less memory than this is free."""
    stop_grace_seconds: float = Field(30.0, gt=0)
    """How long the worker of a cancelled task may take to end before it is killed."""
    tasks_per_gpu: int = Field(4, ge=1)
    """How many trainings may share a GPU where their memory fits."""
    tasks_per_cpu: int = Field(1, ge=1)
    """How many trainings may share the CPU where they fit; each makes the others slower."""
    disk_reserve_mb: float = Field(100.0, ge=0)
    """A training pauses before it takes this much of the disk, and goes on when there is room."""
    chat_idle_minutes: float = Field(5.0, gt=0)
    """The model of a chat leaves the memory after this long without a question."""
    clear_checkpoints: bool = False
    """Remove a task's checkpoints once its adapter is saved."""


def load_settings(home: Home) -> Settings:
    """Read the settings of a home.

    Raises:
        LoraDeckError: The file is not TOML, or a value is unknown or out of range.
    """
    values: dict[str, Any] = {}
    try:
        values = tomllib.loads(home.settings_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _unusable(str(home.settings_file), str(error)) from error
    from_environment = {
        key: given
        for key in Settings.model_fields
        if (given := os.environ.get(_variable(key))) is not None
    }
    try:
        return Settings.model_validate(values | from_environment)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        place = _variable(key) if key in from_environment else f"{home.settings_file}: {key}"
        raise _unusable(place, first["msg"]) from error


def language_of(home: Home) -> str:
    """Give the language that a home's settings name, else the locale's.

    Raises:
        LoraDeckError: The settings are of no use.
    """
    language = load_settings(home).language
    return language_of_locale() if language == "auto" else language


def _variable(key: str) -> str:
    """Name the environment variable of a setting."""
    return f"LORADECK_{key.upper()}"


def _unusable(place: str, reason: str) -> LoraDeckError:
    """Put a fault of the settings into words."""
    words = tr("{place}: {reason}.", place=place, reason=reason)
    return LoraDeckError(tr("Settings not usable"), words, tr("Mend or remove it."))
