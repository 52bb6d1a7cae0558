"""Whether a job can be done now: its memory, its disk, and that nobody makes the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from engine.errors import ConflictError
from engine.language import tr
from engine.models.disk import require_space
from engine.plan.processor import machine_memory
from engine.text import human_bytes, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.jobs.spec import JobSpec


def check_room(spec: JobSpec, running: Sequence[tuple[JobSpec, int]]) -> None:
    """Refuse a job that would run out of memory or disk, or into another one's way.

    Args:
        spec: The job.
        running: Those under way, each with its process's pid, 0 where that is not known.

    Raises:
        ConflictError: Another one is making what it is to make, or its memory is not free.
        DiskFullError: What it will write does not fit.
    """
    for other, _ in running:
        if spec.target and other.target == spec.target:
            raise ConflictError(
                tr("Export under way"),
                tr(
                    "'{title}' is writing to {path} already.",
                    title=visible(other.title),
                    path=visible(spec.target),
                ),
                tr("Follow it: loradeck jobs follow {id}", id=other.id),
            )
    if spec.target:
        require_space(Path(spec.target).parent, spec.disk)
    promised = sum(max(0, other.memory - _held(pid)) for other, pid in running)
    _, there = machine_memory()
    if (free := max(0, there - promised)) < spec.memory:
        raise ConflictError(
            tr("Too little memory"),
            tr(
                "About {needed} are needed, {free} are free.",
                needed=human_bytes(spec.memory),
                free=human_bytes(free),
            ),
            tr("Close what uses memory, or wait for what runs: loradeck tasks; loradeck jobs"),
        )


def _held(pid: int) -> int:
    """Give the bytes that a process holds already."""
    try:
        return int(psutil.Process(pid).memory_info().rss) if pid else 0
    except psutil.Error:
        return 0
