"""Writing files so that a crash leaves the old or the new one, never a torn one."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from itertools import count
from pathlib import Path

from engine.language import tr

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
"""The numbers of a full disk, and of a quota that is used up."""
# safetensors, torch and numpy write natively: their errors have words and no number
_FULL_WORDS = (
    "No space left",
    "os error 28",
    "os error 122",
    "PytorchStreamWriter failed",
    "file write failed",
    " requested and ",
)


def write_atomic(path: Path, content: str | bytes) -> None:
    """Replace a file's content whole: temporary file, fsync, rename, fsync of the folder."""
    fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(fd, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def read_plain(path: Path) -> bytes:
    """Read a plain file; whoever opens a FIFO of the name would be blocked.

    Raises:
        OSError: It may not be read, or there is none.
        ValueError: It is a folder, a FIFO or the like.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(tr("no plain file"))
    return path.read_bytes()


def set_aside(path: Path) -> Path:
    """Move what cannot be read out of the way, beside what was moved there earlier."""
    names = (f"{path.name}.unreadable{'-' * (n > 1)}{n if n > 1 else ''}" for n in count(1))
    aside = next(one for name in names if not os.path.lexists(one := path.with_name(name)))
    path.rename(aside)
    return aside


def sync_folder(folder: Path) -> None:
    """Make renames and new names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_tree(folder: Path) -> None:
    """Make every file below a folder, and the folder itself, durable."""
    for path in folder.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
    sync_folder(folder)


def digest(path: Path) -> str:
    """Give the SHA-256 of a file's content, in hexadecimal digits."""
    import hashlib  # not needed to show the dashboard

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def size_of(folder: Path) -> int:
    """Sum up the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def is_disk_full(error: BaseException) -> bool:
    """Tell a full disk, or a used-up quota, from other faults; causes count."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, OSError) and chain.errno in NO_SPACE:
            return True
        if any(words in str(chain) for words in _FULL_WORDS):
            return True
        chain = chain.__cause__ or chain.__context__
    return False
