"""Keep an uploaded dataset in the home, whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.book.names import move_to_free
from engine.data.endings import is_dataset_name
from engine.data.inspect import refuse_errors
from engine.data.scan_process import inspect_whole
from engine.errors import ConflictError, DiskFullError, LoraDeckError
from engine.files import sync_folder
from engine.language import tr
from engine.server.dataset_listing import describe

if TYPE_CHECKING:
    from typing import BinaryIO

    from engine.home import Home
    from engine.server.wire import DatasetInfo

_NAME_BYTES = 200
_ROOM_LEFT = 100_000_000


async def keep_upload(home: Home, name: str, content: BinaryIO) -> DatasetInfo:
    """Write an upload aside, look at it, then give it a name that is free.

    Raises:
        LoraDeckError: It cannot train, or has an ending that no dataset has.
        DiskFullError: There is too little room.
    """
    name = _usable(name)
    with tempfile.TemporaryDirectory(dir=home.datasets, prefix=".upload-") as aside:
        path = Path(aside) / name
        await asyncio.to_thread(_write, path, content)
        try:
            inspection = await inspect_whole(home.cache, path)
            refuse_errors(inspection)
        except LoraDeckError as error:  # named as its owner knows it
            words = error.message.replace(str(path), name)
            raise type(error)(error.title, words, error.hint) from error
        path.chmod(0o600)
        kept = _keep(path, home.datasets)
    return describe(kept, inspection)


def _usable(name: str) -> str:
    """Make a name of a file from what a client calls it."""
    name = re.sub(r"[^\w.\- ]", "_", Path(name.replace("\\", "/")).name)
    while len(name.encode()) > _NAME_BYTES:
        name = name[1:]
    name = name.lstrip(".")
    if not is_dataset_name(name):
        raise LoraDeckError(
            tr("File not of use"),
            tr(
                "'{name}' does not end as datasets do: .json, .jsonl, .csv, .tsv, .parquet, "
                ".arrow, .txt or .md, each also with .gz or .zst.",
                name=name,
            ),
            tr("Give the file its right ending."),
        )
    return name


def _write(path: Path, content: BinaryIO) -> None:
    """Write the upload, as long as the disk has room."""
    with path.open("wb") as target:
        shutil.copyfileobj(content, target, 1 << 20)
        if shutil.disk_usage(path.parent).free < _ROOM_LEFT:
            raise DiskFullError(
                tr("Disk full"),
                tr("There is too little room in {folder}.", folder=path.parent.parent),
                tr("Remove what you do not need, then upload again."),
            )
        os.fsync(target.fileno())


def _keep(path: Path, folder: Path) -> Path:
    """Put a file into a folder; a name that is taken gets a number: ``rows-2.json.gz``."""
    stem, dot, endings = path.name.partition(".")
    numbered = (f"{stem}-{number}{dot}{endings}" for number in itertools.count(2))
    for name in itertools.chain([path.name], numbered):
        with contextlib.suppress(ConflictError):
            move_to_free(path, folder / name)
            sync_folder(folder)
            return folder / name
    raise AssertionError("numbers do not end")
