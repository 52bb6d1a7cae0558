"""Words for paths that lead to nothing that can be read, and the caps on what one row may hold."""

from __future__ import annotations

import difflib
import shlex
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.data.words import shown
from engine.errors import LoraDeckError, NotFoundError
from engine.language import mark, tr
from engine.text import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import stat_result
    from pathlib import Path

ROW_LIMIT = 16_000_000
"""Bytes or characters of one row. As text that is some four million tokens; and the smallest
values (``[],[],…``) take 25 times their size once they are Python objects."""
KINDS = mark("JSON, JSONL, CSV, TSV, Parquet, Arrow, text or Markdown (also as .gz or .zst)")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the system says while a path is read into words.

    Raises:
        NotFoundError: There is no such file.
        LoraDeckError: It cannot be read, or does not fit into memory.
    """
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(path) from None
    except UnicodeEncodeError:
        raise unreadable(path, tr("its name is not UTF-8"), tr("Rename the file.")) from None
    except PermissionError:
        hint = tr("Allow it, for example: chmod u+r {path}", path=shlex.quote(shown(path)))
        raise unreadable(path, tr("permission denied"), hint) from None
    except MemoryError:
        raise LoraDeckError(
            tr("Dataset too large"),
            tr("{path} does not fit into memory.", path=shown(path)),
            tr("Split it into smaller files or smaller rows."),
        ) from None
    except OSError as error:
        reason = error.strerror or shown(error)
        raise unreadable(path, reason, tr("Check the path and the disk.")) from None


def status(path: Path) -> stat_result:
    """Look what a path leads to: a regular file with something in it, or a folder.

    Raises:
        LoraDeckError: As ``reading``; or it is a device, a pipe or a socket, or empty.
    """
    with reading(path):
        try:
            str(path).encode()
            found = path.stat()
        except ValueError as error:  # a NUL inside the name
            if isinstance(error, UnicodeEncodeError):
                raise
            raise unreadable(path, shown(error), tr("Check the path.")) from None
    if stat.S_ISDIR(found.st_mode):
        return found
    if not stat.S_ISREG(found.st_mode):
        raise LoraDeckError(
            tr("Not a dataset file"),
            tr("{path} is not a regular file.", path=shown(path)),
            tr("Choose a file: {kinds}.", kinds=tr(KINDS)),
        )
    if not found.st_size:
        raise empty(path)
    return found


def unreadable(path: Path, reason: str, hint: str) -> LoraDeckError:
    """Say that the file is there but cannot be read."""
    return LoraDeckError(
        tr("Dataset cannot be read"),
        tr("{path} cannot be read: {reason}.", path=shown(path), reason=reason),
        hint,
    )


def empty(path: Path) -> LoraDeckError:
    """Say that nothing is in the file."""
    return LoraDeckError(
        tr("Dataset is empty"),
        tr("{path} has nothing in it.", path=shown(path)),
        tr("Check that it was written or copied whole."),
    )


def damaged(path: Path, kind: str, reason: object) -> LoraDeckError:
    """Say that a binary file is not what its first bytes promise."""
    words = " ".join(shown(reason).split()).rstrip(".")[:300]
    return LoraDeckError(
        tr("Broken {kind} file", kind=kind),
        tr("{path} cannot be read as {kind}: {reason}.", path=shown(path), kind=kind, reason=words),
        tr("Check that it was written or copied whole."),
    )


def expands(path: Path, times: float | None = None) -> LoraDeckError:
    """Say that a small file would fill the memory or the day."""
    size = human_bytes(path.stat().st_size)
    often = tr("far over its size")
    if times is not None:
        often = tr("{times:,.0f} times its size", times=times)
    return LoraDeckError(
        tr("Dataset expands too far"),
        tr("{path} has {size} and expands to {often}.", path=shown(path), size=size, often=often),
        tr(
            "Such files are made to fill memory, or hold the same row again and again: "
            "write it without compression if you trust it."
        ),
    )


def too_large(path: Path, place: str) -> LoraDeckError:
    """Say that a row is larger than anything that can be trained on."""
    return LoraDeckError(
        tr("Row too large"),
        tr(
            "{path}: {place} is larger than {limit}.",
            path=shown(path),
            place=place,
            limit=human_bytes(ROW_LIMIT),
        ),
        tr("Split it into smaller rows: models read some thousand tokens at a time."),
    )


def _missing(path: Path) -> NotFoundError:
    """Say that there is no such file, and which name in that folder comes near."""
    if path.is_symlink():
        message = tr("{path} is a link to a file that is not there.", path=shown(path))
        return NotFoundError(
            tr("Dataset not found"), message, tr("Mend the link, or choose the file.")
        )
    try:
        names = [sibling.name for sibling in path.parent.iterdir()]
    except (OSError, ValueError):
        names = []
    near = difflib.get_close_matches(path.name, names, n=1)
    hint = tr("Check the path.")
    if near:
        hint = f"{tr('Did you mean {names}?', names=shown(near[0]))} {hint}"
    return NotFoundError(
        tr("Dataset not found"),
        tr("There is no file {path}.", path=shown(path)),
        hint,
    )
