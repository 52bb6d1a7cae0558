"""A lock lives and dies with its process, whatever its file says."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engine.locks import ProcessLock, holder

if TYPE_CHECKING:
    from pathlib import Path

_HOLD = """
import sys
from pathlib import Path
from engine.locks import ProcessLock
print(ProcessLock(Path(sys.argv[1])).acquire(), flush=True)
sys.stdin.read()
"""


def _hold(path: Path) -> subprocess.Popen[str]:
    """Have another process take the lock."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _HOLD, str(path)],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.taken = process.stdout.readline().strip()  # type: ignore[attr-defined]
    return process


def test_names_its_holder_until_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert holder(path) is None
    with _hold(path) as process:
        assert process.taken == "True"  # type: ignore[attr-defined]
        assert holder(path) == process.pid
        assert not ProcessLock(path).acquire()
        process.kill()
    assert holder(path) is None
    assert path.read_text() == str(process.pid)  # the file proves nothing


def test_second_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with _hold(path) as first, _hold(path) as second:
        assert second.taken == "False"  # type: ignore[attr-defined]
        for process in (first, second):
            process.communicate()


def test_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    lock = ProcessLock(tmp_path / "a.lock")
    assert lock.acquire()
    lock.release()
    with _hold(tmp_path / "a.lock") as process:
        assert process.taken == "True"  # type: ignore[attr-defined]
        process.communicate()


def test_a_lock_that_cannot_be_looked_at_is_not_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    assert holder(path) is None  # not there
    path.touch()

    def refused(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as exhausted:
        exhausted.setattr(os, "open", refused)
        assert holder(path) == 0


def test_a_file_system_without_locks_is_no_held_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", refused)
    with pytest.raises(OSError, match="No locks"):
        ProcessLock(tmp_path / "lock").acquire()
    assert holder(tmp_path / "lock") is None
