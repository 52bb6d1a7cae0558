"""The journal of a job: how it stands, a whole line each time; whoever holds its lock writes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import ValidationError

from engine.jobs.types import Job

if TYPE_CHECKING:
    from pathlib import Path

JOURNAL = "events.jsonl"
_TAIL_BYTES = 1 << 20


def write(folder: Path, job: Job) -> None:
    """Append how a job stands now, durably; all of the line or nothing.

    Raises:
        OSError: It could not be written, such as on a full disk.
    """
    fd = os.open(folder / JOURNAL, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        at = _whole(fd)
        line = job.model_dump_json().encode() + b"\n"
        try:
            if os.pwrite(fd, line, at) == len(line):
                os.ftruncate(fd, at + len(line))
                os.fsync(fd)
                return
        except OSError:
            os.ftruncate(fd, at)
            raise
        os.ftruncate(fd, at)
        raise OSError(28, os.strerror(28), str(folder / JOURNAL))
    finally:
        os.close(fd)


def read(folder: Path) -> Job | None:
    """Read how a job stood last; ``None`` where no line tells."""
    try:
        fd = os.open(folder / JOURNAL, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        size = os.fstat(fd).st_size
        text = os.pread(fd, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    except OSError:
        return None
    finally:
        os.close(fd)
    whole = text[: text.rfind(b"\n") + 1].splitlines()
    return next((job for line in reversed(whole) if (job := _job(line))), None)


def _whole(fd: int) -> int:
    """Give where the last whole line ends: a crash may have left a torn one."""
    size = os.fstat(fd).st_size
    start = max(0, size - _TAIL_BYTES)
    return start + os.pread(fd, _TAIL_BYTES, start).rfind(b"\n") + 1


def _job(line: bytes) -> Job | None:
    """Read a line; ``None`` where it is damaged or a newer version's."""
    try:
        return Job.model_validate_json(line.strip(b"\0"))
    except ValidationError:
        return None
