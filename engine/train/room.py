"""Watches the room on the disk, so that a run pauses while there is still some for a checkpoint."""

from __future__ import annotations

import errno
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.train.spec import TaskSpec

_FULL = (errno.ENOSPC, errno.EDQUOT)
# safetensors and torch write natively: their errors have words and no number
_WORDS = (
    "No space left",
    "os error 28",
    "os error 122",
    "PytorchStreamWriter failed",
    "file write failed",
)


class Room:
    """What a run's next checkpoint takes, beside what is free.

    Args:
        spec: Tells how much is to stay free, and what a checkpoint takes as planned.
    """

    def __init__(self, spec: TaskSpec) -> None:
        self._folder, self._reserve = spec.folder, spec.disk_reserve
        self.checkpoint = spec.checkpoint_size
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


def is_disk_full(error: BaseException) -> bool:
    """Tell a full disk, or a used-up quota, from other faults; causes count."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, OSError) and chain.errno in _FULL:
            return True
        if any(words in str(chain) for words in _WORDS):
            return True
        chain = chain.__cause__ or chain.__context__
    return False
