"""The settings in words: their sections and names, their values, and what goes for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from engine.language import LANGUAGES, mark, tr
from engine.settings import ABOUT, overriding, variable
from screens.format import one_line

if TYPE_CHECKING:
    from engine.settings import Settings

Kind = Literal["choice", "typed", "picked", "told", "opened"]
State = Literal["default", "set", "fixed"]

SECTIONS: dict[str, dict[str, str]] = {
    mark("Appearance"): {
        "theme": mark("Colours"),
        "glyphs": mark("Signs"),
        "refresh_seconds": mark("Refresh"),
        "title": mark("Terminal title"),
    },
    mark("Language"): {"language": mark("Language")},
    mark("Notifications"): {"bell": mark("Bell"), "notifications": mark("Desktop")},
    mark("New trainings"): {
        "default_model": mark("Base model"),
        "default_preset": mark("Preset"),
    },
    mark("Engine"): {
        "idle_minutes": mark("Ends when idle"),
        "spare_worker": mark("Spare worker"),
        "spare_idle_minutes": mark("Spare worker idle"),
        "spare_free_gb": mark("Spare worker room"),
        "stop_grace_seconds": mark("Grace on cancel"),
        "tasks_per_gpu": mark("Tasks on a GPU"),
        "tasks_per_cpu": mark("Tasks on the CPU"),
        "disk_reserve_mb": mark("Disk reserve"),
        "chat_idle_minutes": mark("Chat idle"),
        "clear_checkpoints": mark("Clear checkpoints"),
    },
}
_ENGINE = mark("Engine")
_PICKED = ("default_model", "default_preset")
_VALUES = {
    "auto": mark("auto"),
    "dark": mark("dark"),
    "light": mark("light"),
    "contrast-dark": mark("contrast, dark"),
    "contrast-light": mark("contrast, light"),
    "ansi": mark("the terminal's 16"),
    "unicode": mark("all"),
    "ascii": mark("ASCII"),
    "off": mark("off"),
    "": mark("none"),
    **LANGUAGES,
}
_UNITS = {"minutes": "min", "seconds": "s", "gb": "GB", "mb": "MB"}


@dataclass(frozen=True)
class Row:
    """A line of the settings."""

    key: str
    label: str
    value: str
    meaning: str
    kind: Kind
    state: State = "default"
    section: str = ""
    """The heading above it; empty but for the first of a section."""


def rows_of(settings: Settings) -> list[Row]:
    """List what can be set, as it is now."""
    return [
        _row(key, label, getattr(settings, key), section if label == names[0] else "")
        for section, labels in SECTIONS.items()
        for names in [list(labels.values())]
        for key, label in labels.items()
    ]


def _row(key: str, label: str, value: Any, section: str) -> Row:
    """Make a setting's line."""
    known = ABOUT[key]
    kind: Kind = "choice" if known.choices else "picked" if key in _PICKED else "typed"
    state: State = "default" if value == known.default else "set"
    if overriding(key) is not None:
        state = "fixed"
    return Row(key, tr(label), value_words(key, value), tr(known.meaning), kind, state,
               tr(section))  # fmt: skip


def value_words(key: str, value: Any) -> str:
    """Write a setting's value."""
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    if isinstance(value, str):
        return tr(_VALUES[value]) if value in _VALUES else one_line(value)
    return f"{value:g} {_UNITS.get(key.rpartition('_')[2], '')}".rstrip()


def remark(row: Row) -> str:
    """Say what else goes for a setting: who has set it, or when it counts."""
    if row.state == "fixed":
        return tr(
            "Set by {name} in the environment, which goes before what is set here.",
            name=variable(row.key),
        )
    if row.key in SECTIONS[_ENGINE]:
        return tr("Counts from the next start of the engine.")
    return ""


def more_words(key: str) -> str:
    """Say what a setting takes, and what it is by itself."""
    known = ABOUT[key]
    return tr(
        "takes {values}; {default} by itself",
        values=" / ".join(value_words(key, one) for one in known.choices) or known.range_words(),
        default=value_words(key, known.default),
    )
