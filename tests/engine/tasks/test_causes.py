"""The likely cause of a worker's end, from what the machine tells."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from engine.machine import boot_id
from engine.plan.cgroups import out_of_memory_kills
from engine.tasks import causes
from engine.tasks.causes import Exit

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose kernel has killed three processes, the last of them number 77."""
    monkeypatch.setattr(causes, "out_of_memory_kills", lambda: 3)
    said = "6,1,2,-;Out of memory: Killed process 77 (python) total-vm:1kB\n"
    monkeypatch.setattr(causes, "_kernel_log", lambda: said)


@pytest.mark.parametrize(
    ("gone", "cause", "killed"),
    [
        (Exit(-signal.SIGKILL, kills_before=3), "by hand or for lack of memory", True),
        (Exit(-signal.SIGKILL, kills_before=2), "by the system for lack of memory", True),
        (Exit(-signal.SIGKILL, pid=77), "by the system for lack of memory", True),
        (Exit(None, pid=77), "by the system for lack of memory", True),
        (Exit(None, pid=78), "ended while no engine watched", False),
        (Exit(-signal.SIGSEGV, kills_before=2), "ended by SIGSEGV", False),
        (Exit(3), "ended with code 3", False),
        (Exit(None, boot="another"), "the machine was restarted", False),
        (Exit(None, boot=boot_id()), "ended while no engine watched", False),
    ],
)
def test_cause(gone: Exit, cause: str, killed: bool) -> None:
    assert cause in gone.cause
    assert gone.was_killed is killed


@pytest.mark.parametrize(
    ("group", "file", "folder"),
    [
        ("0::/box", "memory.events", "sys/fs/cgroup/box"),
        ("4:memory:/box", "memory.oom_control", "sys/fs/cgroup/memory/box"),
    ],
)
def test_kills_are_counted_in_both_versions(
    tmp_path: Path, group: str, file: str, folder: str
) -> None:
    assert out_of_memory_kills(tmp_path) == 0
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(group + "\n", encoding="utf-8")
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / file).write_text("low 0\noom_kill 5\n", encoding="utf-8")
    assert out_of_memory_kills(tmp_path) == 5
