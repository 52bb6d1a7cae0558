"""Runs a program of another's, and ends it when the job is ended."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_INTERVAL = 0.2  # seconds
_KEPT = 20_000  # bytes


def run_child(command: Sequence[str], tick: Callable[[], None]) -> tuple[int, str]:
    """Run a command to its end; what it says goes to the log too.

    Args:
        command: The program and its arguments.
        tick: Called now and then meanwhile.

    Returns:
        Its exit status, and the end of what it said.
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
    return code, said
