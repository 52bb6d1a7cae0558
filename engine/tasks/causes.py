"""Why a worker went without a word, as far as the machine tells."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.language import tr
from engine.machine import boot_id
from engine.plan.cgroups import out_of_memory_kills

_KERNEL_LOG = Path("/dev/kmsg")
_KERNEL_LOG_BYTES = 4_000_000


@dataclass(frozen=True)
class Exit:
    """How a worker process went."""

    code: int | None = None
    """Its exit code, negative for a signal; ``None`` where no engine watched."""
    pid: int = 0
    """Of the worker; 0 where it had not taken up its task."""
    boot: str = ""
    """Which run of the machine it was in."""
    kills_before: int | None = None
    """How often the kernel had killed for lack of memory when it was started."""

    @property
    def was_killed(self) -> bool:
        """Tell whether the process was killed outright, as the kernel does where memory ends."""
        return self.code == -signal.SIGKILL or self._lacked_memory

    @property
    def cause(self) -> str:
        """Put the likely cause into words."""
        if self.boot and self.boot != boot_id():
            return tr("the machine was restarted")
        if self._lacked_memory:
            return tr("its worker was killed by the system for lack of memory")
        if self.code is None:
            return tr("its worker ended while no engine watched")
        if self.code == -signal.SIGKILL:
            return tr("its worker was killed, by hand or for lack of memory")
        if self.code < 0:
            return tr("its worker was ended by {signal}", signal=signal.Signals(-self.code).name)
        return tr("its worker ended with code {code}", code=self.code)

    @property
    def _lacked_memory(self) -> bool:
        """Tell whether the kernel says so: by its count, or by the process's name in its log."""
        if self.code not in (None, -signal.SIGKILL):
            return False
        if self.kills_before is not None and out_of_memory_kills() > self.kills_before:
            return True
        return bool(self.pid) and f"Killed process {self.pid} " in _kernel_log()


def _kernel_log() -> str:
    """Read what the kernel has said of late; empty where it may not be read."""
    said = b""
    with suppress(OSError):
        fd = os.open(_KERNEL_LOG, os.O_RDONLY | os.O_NONBLOCK)
        try:
            # One record a read; the end is an error, "would block"
            while len(said) < _KERNEL_LOG_BYTES and (record := os.read(fd, 8192)):
                said += record
        except OSError:
            return said.decode(errors="replace")
        finally:
            os.close(fd)
    return said.decode(errors="replace")
