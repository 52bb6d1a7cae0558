"""A lock that only a living process can hold: no pid can fake it, no crash can leave it behind."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


_HELD = (errno.EAGAIN, errno.EACCES)
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO)
"""No lock, or no place where one could be."""


class ProcessLock:
    """An exclusive POSIX record lock on a file that also names its holder's pid.

    ``lockf`` rather than ``flock``: it is not inherited by forked children, so a data loader
    that outlives its worker does not keep the task looking alive. It goes when *any* descriptor
    of the file is closed in the holding process, so nothing else may open the file there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def acquire(self, patience: float = 0.0) -> bool:
        """Take the lock for the life of this process; tell whether nobody else held it.

        Args:
            patience: Seconds to try for; whoever asks for the holder holds it for an instant.
        """
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + patience
        while not _locked(fd):
            if time.monotonic() >= deadline:
                os.close(fd)
                return False
            time.sleep(0.02)
        os.ftruncate(fd, 0)
        os.write(fd, str(os.getpid()).encode())
        self._fd = fd
        return True

    def release(self) -> None:
        """Give the lock up, if held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _locked(fd: int) -> bool:
    """Try to lock a file exclusively."""
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _HELD:
            raise  # such as a file system without locks
        return False
    return True


def holder(path: Path) -> int | None:
    """Give the pid of the process that holds a lock; ``None`` where nobody does, 0 where unknown.

    Never call it in the process that holds the lock: it would be lost.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        # Anything else, such as too many open files, must not make a living holder look dead
        return None if error.errno in _NOT_THERE else 0
    try:
        fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return _written_pid(fd) if error.errno in _HELD else None
    else:
        return None
    finally:
        os.close(fd)


def _written_pid(fd: int) -> int:
    """Read the pid in a held lock file; 0 in the instant before its holder has written it."""
    text = os.pread(fd, 32, 0).decode(errors="replace")
    return int(text) if text.isdigit() else 0
