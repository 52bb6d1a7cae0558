"""Watches the room on the disk, so that a run pauses while there is still some for a checkpoint."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from engine.plan.disk import checkpoint_size

if TYPE_CHECKING:
    from engine.train.spec import TaskSpec


class Room:
    """What a run's next checkpoint takes, beside what is free.

    Args:
        spec: Tells how much is to stay free, and what a checkpoint takes as planned.
    """

    def __init__(self, spec: TaskSpec) -> None:
        self._folder, self._reserve = spec.folder, spec.disk_reserve
        self.checkpoint = checkpoint_size(spec.plan)
        """Bytes; as planned, until one has been written."""

    def _free(self) -> int:
        """Read the bytes that are free."""
        return shutil.disk_usage(self._folder).free

    @property
    def is_short(self) -> bool:
        """Tell whether a checkpoint would go into what is to stay free."""
        return self._free() < self._reserve + self.checkpoint

    @property
    def is_used_up(self) -> bool:
        """Tell whether less is free than is to stay so."""
        return self._free() < self._reserve

    @property
    def holds_checkpoint(self) -> bool:
        """Tell whether one more can be written at all."""
        return self._free() > self.checkpoint
