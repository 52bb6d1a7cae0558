"""Names of new versions, and files that are written whole and over nothing."""

from __future__ import annotations

import itertools
import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.endings import ENDINGS, PACKED
from engine.data.words import shown
from engine.errors import ConflictError, LoraDeckError
from engine.files import sync_folder
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION = re.compile(r"\.v\d+$")
_NAME_BYTES = 200
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]")


def stem_of(name: str) -> str:
    """Take the endings and the version off a file's name."""
    for endings in (PACKED, ENDINGS):
        if (ending := os.path.splitext(name)[1]).lower() in endings:  # noqa: PTH122 - no path
            name = name[: -len(ending)]
    return _VERSION.sub("", name).lstrip(".") or "dataset"


def next_version(folder: Path, name: str) -> str:
    """Name the first version of a file that the folder has not: ``rows.v2.jsonl``."""
    stem = stem_of(name)
    while len(stem.encode()) > _NAME_BYTES:
        stem = stem[:-1]
    return next(
        free
        for number in itertools.count(2)
        if not os.path.lexists(folder / (free := f"{stem}.v{number}.jsonl"))
    )


def checked_name(folder: Path, name: str, ending: str = "") -> str:
    """Check the name that a user gives a dataset in the home, with the ending it must have.

    Raises:
        LoraDeckError: It is no file name, or has another ending.
        ConflictError: It is taken.
    """
    if ending and not name.lower().endswith(ending):
        if name.lower().endswith((*ENDINGS, *PACKED)):
            raise LoraDeckError(
                tr("Ending not usable"),
                tr(
                    "'{name}' would be a {ending} file by its content.",
                    name=shown(name),
                    ending=ending,
                ),
                tr("Name it, for example: {name}", name=shown(stem_of(name)) + ending),
            )
        name += ending
    if _UNFIT.search(name) or name.startswith(".") or not stem_of(name).strip():
        raise LoraDeckError(
            tr("Name not usable"),
            tr("'{name}' is no name of a dataset.", name=shown(name)),
            tr("Take a file name without folders, e.g. rows.jsonl"),
        )
    if len(name.encode()) > _NAME_BYTES:
        raise LoraDeckError(
            tr("Name too long"), tr("'{name}…' is too long a name.", name=shown(name)[:40])
        )
    if os.path.lexists(folder / name):
        raise taken(folder, name)
    return name


def taken(folder: Path, name: str) -> ConflictError:
    """Say that there is such a dataset already."""
    return ConflictError(
        tr("Name taken"),
        tr(
            "There is a dataset named '{name}' in {folder} already.",
            name=shown(name),
            folder=shown(folder),
        ),
        tr(
            "Nothing is written over. Free is, for example: {name}",
            name=shown(next_version(folder, name)),
        ),
    )


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give a file aside to write; it gets the target's name at the end, or disappears.

    Raises:
        ConflictError: Something has the name by then.
    """
    fd, name = tempfile.mkstemp(dir=target.parent, prefix=".writing-")  # 0600
    os.close(fd)
    aside = Path(name)
    try:
        yield aside
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        move_to_free(aside, target)
        sync_folder(target.parent)
    finally:
        aside.unlink(missing_ok=True)


def move_to_free(aside: Path, target: Path) -> None:
    """Rename without writing over anything.

    Raises:
        ConflictError: Something has the name.
    """
    try:
        os.link(aside, target)
    except FileExistsError:
        raise taken(target.parent, target.name) from None
    except OSError:  # a disk that knows no second names
        if os.path.lexists(target):
            raise taken(target.parent, target.name) from None
        aside.rename(target)
