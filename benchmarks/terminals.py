"""Programs on a terminal of their own, as a user starts them."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SIZE = (120, 40)


class Terminal:
    """One program and its terminal; nobody answers what it asks of the terminal."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        width, height = SIZE
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.child = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment},
        )  # fmt: skip
        os.close(theirs)

    def read(self, seconds: float) -> bytes:
        """Give what it draws within a time, or ``b""``."""
        if not select.select([self._ours], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self._ours, 1 << 20)
        except OSError:  # it has ended
            return b""

    def until(self, words: bytes, seconds: float = 60.0) -> None:
        """Read until it has drawn some words.

        Raises:
            TimeoutError: It has not.
        """
        seen, deadline = b"", time.monotonic() + seconds
        while words not in seen:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{words!r} was not drawn: {seen[-2000:]!r}")
            seen += self.read(0.5)

    def rest(self, seconds: float) -> None:
        """Read until it has drawn nothing for a time."""
        while self.read(seconds):
            pass

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._ours, keys)

    def cpu(self) -> float:
        """Tell the processor time of its threads, in seconds; Linux counts it to the nanosecond."""
        tasks = Path(f"/proc/{self.child.pid}/task")
        return (
            sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9
        )

    def close(self) -> None:
        """End it."""
        self.child.kill()
        self.child.wait()
        os.close(self._ours)


@contextmanager
def opened(command: Sequence[str], **environment: str) -> Iterator[Terminal]:
    """Have a program on a terminal for a while."""
    terminal = Terminal(command, environment)
    try:
        yield terminal
    finally:
        terminal.close()
