"""Faults at a chosen file operation: the process ends there, or the disk is full from there on."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KILLED = 9
_OPERATIONS = ("open", "fsync", "link", "replace", "rename", "unlink", "mkdir", "truncate")
_NEEDING_ROOM = {"open", "write", "fsync", "link", "mkdir"}


class _Stream:
    """A file whose writes can fail in the middle."""

    def __init__(self, stream: Any, hit: Callable[[str], None]) -> None:
        self._stream, self._hit = stream, hit

    def write(self, content: bytes) -> None:
        """Write the first half, then perhaps fail, then write the rest."""
        self._stream.write(content[: len(content) // 2])
        self._stream.flush()
        self._hit("write")
        self._stream.write(content[len(content) // 2 :])

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def watched(on_operation: Callable[[str], None]) -> Iterator[None]:
    """Call a function before each file operation of this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _OPERATIONS:
            patch.setattr(os, name, _wrapped(getattr(os, name), name, on_operation))
        opened = os.fdopen
        patch.setattr(os, "fdopen", lambda *a, **k: _Stream(opened(*a, **k), on_operation))
        yield


def _wrapped(
    function: Callable[..., Any], name: str, on_operation: Callable[[str], None]
) -> Callable[..., Any]:
    """Call a function before another."""

    def call(*args: Any, **kwargs: Any) -> Any:
        on_operation(name)
        return function(*args, **kwargs)

    return call


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Do work in a child that dies at its operation of this number; tell whether it came to it."""
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, KILLED)
        return status == KILLED
    left = number

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os._exit(KILLED)  # as SIGKILL does: nothing is flushed, nobody cleans up

    try:
        with watched(count):
            work()
        os._exit(0)
    finally:
        os._exit(1)


@contextmanager
def full_disk(number: int) -> Iterator[None]:
    """Let the operation of this number, and all after it that need room, fail for want of it."""
    left = number

    def count(operation: str) -> None:
        nonlocal left
        left -= operation in _NEEDING_ROOM
        if left <= 0 and operation in _NEEDING_ROOM:
            raise OSError(errno.ENOSPC, "No space left on device")

    with watched(count):
        yield
