"""Runs a program of another's, and ends it when the job is ended."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from engine.files import is_disk_full
from engine.language import tr
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_INTERVAL = 0.2  # seconds
_KEPT = 20_000  # bytes
_BAR = re.compile(r"\d+%\|")


def run_child(command: Sequence[str], tick: Callable[[], None]) -> tuple[int, str]:
    """Run a command to its end; what it says goes to the log too.

    Args:
        command: The program and its arguments.
        tick: Called now and then meanwhile.

    Returns:
        Its exit status, and the end of what it said.

    Raises:
        OSError: It found the disk full.
    """
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while True:
                try:
                    code = child.wait(_INTERVAL)
                    break
                except subprocess.TimeoutExpired:
                    tick()
        finally:
            child.kill()
            child.wait()
        size = output.seek(0, 2)
        output.seek(max(0, size - _KEPT))
        said = output.read().decode(errors="replace")
    sys.stderr.write(said)
    if code and is_disk_full(RuntimeError(said)):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return code, said


def last_words(code: int, said: str) -> str:
    """Give why a program failed: what ended it, or the last that it said, but for its progress."""
    if code == -signal.SIGKILL:
        return tr("it was killed, as by the system where memory runs out")
    if code < 0:
        return tr("it was ended by {signal}", signal=signal.Signals(-code).name)
    lines = [line for line in said.splitlines() if line.strip() and not _BAR.search(line)]
    return visible(lines[-1])[:300] if lines else tr("exit code {code}", code=code)
