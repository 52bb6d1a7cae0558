"""How a job tells from within how far it is."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

from engine.jobs import journal

if TYPE_CHECKING:
    from pathlib import Path

    from engine.jobs.types import Job

_INTERVAL = 0.2  # seconds


class JobReporter:
    """Keeps a job's snapshot and writes it to its journal, at most some times a second."""

    def __init__(self, folder: Path, job: Job) -> None:
        self._folder = folder
        self._job = job
        self._part = (0.0, 1.0)
        self._span = (0.0, 1.0)
        self._written = 0.0

    def within(self, start: float, end: float) -> None:
        """Let the stages that follow make up this part of the whole alone."""
        self._part = (start, end)

    def stage(self, name: str, start: float, end: float) -> None:
        """Begin a stage, which makes up the whole's progress from ``start`` to ``end``."""
        begin, size = self._part[0], self._part[1] - self._part[0]
        self._span = (begin + size * start, begin + size * end)
        self._move(stage=name, progress=self._span[0])

    def done(self, share: float) -> None:
        """Tell which share of the present stage is done, from 0 to 1."""
        if time.monotonic() - self._written >= _INTERVAL:
            start, end = self._span
            self._move(progress=start + (end - start) * min(1.0, share))

    def commit(self) -> None:
        """Let nothing end the job from here on: its result is being given its name."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def end(self, **update: Any) -> None:
        """Write the job's last word: its state and what came of it."""
        self._move(ended_at=time.time(), **update)

    def _move(self, **update: Any) -> None:
        """Change the snapshot and write it."""
        self._job = self._job.model_copy(update=update)
        journal.write(self._folder, self._job)
        self._written = time.monotonic()
