"""What a user puts in: pasted paths made plain, and a name suggested from the choices."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from engine.data.endings import is_dataset_name
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Collection

    from engine.data.types import Inspection


_SAVED_FOLDER = ("state.json", "dataset_dict.json")  # what save_to_disk leaves in a folder
_ROOM = 80  # characters of a suggested name, so that a number still fits behind it
_ROOM_BYTES = 200


@dataclass(frozen=True)
class ChosenDataset:
    """A dataset that was looked at, and how the user said it is to be read."""

    inspection: Inspection
    mapping: dict[str, str] = field(default_factory=dict)
    """Which column holds which field, where the user set it."""


def pasted_path(text: str) -> str | None:
    """Read a path from what a terminal pastes when a file is dropped on it.

    Quotes, ``file://`` and backslash escapes are taken off, ``~`` is spelt out.

    Returns:
        The absolute path, or ``None`` where the text does not look like one.
    """
    lines = text.strip().splitlines()
    if not lines:
        return None
    line = lines[0].strip()
    if len(line) > 1 and line[0] == line[-1] and line[0] in "'\"":
        line = line[1:-1]
    elif line.startswith("file://"):
        line = unquote("/" + line.removeprefix("file://").partition("/")[2])  # without the host
    else:
        line = re.sub(r"\\(.)", r"\1", line)
    if not line.startswith(("/", "~", "./", "../")) and not is_dataset_name(line):
        return None
    return absolute(line)


def is_saved_dataset(folder: Path) -> bool:
    """Tell whether a folder is one dataset, as ``save_to_disk`` writes it."""
    return any(is_there(folder / name) for name in _SAVED_FOLDER)


def leads_on(path: Path) -> bool:
    """Tell whether a path is a folder to look into; one that cannot be asked for is none."""
    try:
        return path.is_dir() and not is_saved_dataset(path)
    except (OSError, ValueError):
        return False


def is_there(path: Path) -> bool:
    """Tell whether a path is a file; one that cannot be asked for is none.

    A locked folder on its way refuses, and so does a name that is too long.
    """
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def absolute(path: str) -> str:
    """Spell a typed path out; the engine knows nothing of our working folder."""
    try:
        return str(Path(path).expanduser().absolute())
    except RuntimeError:  # ~nobody
        return str(Path(path).absolute())


def suggested_name(dataset: str, model: str, taken: Collection[str]) -> str:
    """Suggest a task's name from a dataset's path and a model's name: ``alpaca_example-demo``.

    A number is put behind it where the name is taken.
    """
    parts = (Path(dataset).stem, model.rstrip("/").rsplit("/", 1)[-1])
    words = [re.sub(r'[\\/:\s"]+', "-", visible(part)).strip("-.") for part in parts]
    base = "-".join(word for word in words if word)
    base = "".join(sign for sign in base if sign.isprintable())[:_ROOM]
    base = base.encode()[:_ROOM_BYTES].decode(errors="ignore") or "training"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name
