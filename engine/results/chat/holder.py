"""Holds one base model in a process of its own, and lets it go again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError
from engine.language import tr
from engine.plan.hardware import best_device
from engine.results.chat.memory import choose_format
from engine.results.chat.process import ChatProcess
from engine.results.chat.wire import Refused, Start
from engine.tasks.admission import free_beside, held, same

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from engine.models.types import ModelInfo
    from engine.plan.types import Device
    from engine.tasks.admission import Occupant


class ChatHolder:
    """At most one process, on the device with the most free memory.

    Args:
        log: Where the process writes what its libraries say.
        occupants: Gives the trainings under way.
        device: Gives the best device as it is now.
    """

    def __init__(
        self,
        log: Path,
        occupants: Callable[[], Sequence[Occupant]],
        device: Callable[[], Device] = best_device,
    ) -> None:
        self._log, self._occupants, self._best = log, occupants, device
        self._process: ChatProcess | None = None
        self._key: tuple[str, ...] = ()
        self._expected = 0
        """Bytes that the process is to take."""
        self.device: Device | None = None
        self.base = ""

    @property
    def process(self) -> ChatProcess | None:
        """The process, where one runs."""
        return self._process if self._process and self._process.alive else None

    def holds(self, *key: str) -> bool:
        """Tell whether the process holds what was loaded under a key."""
        return self.process is not None and self._key == key

    async def load(self, model: ModelInfo, *key: str) -> None:
        """Let go what is held, and load a base model.

        Args:
            key: What ``holds`` is asked for later.

        Raises:
            LoraDeckError: It does not fit, or cannot be loaded.
        """
        await self.release()
        device = await asyncio.to_thread(self._best)
        there = [one for one in self._occupants() if same(one.plan.device, device)]
        how = choose_format(model, device, free_beside(device, there))
        self._key, self.base = key, model.name
        self.device, self._expected = device, how.bytes
        start = Start(
            base=model.path or "",
            dtype=how.dtype,
            use_4bit=how.use_4bit,
            device=device.kind,
            gpu=device.uuid,
            cores=device.cores,
        )
        try:
            self._process = process = await ChatProcess.start(start, self._log)
        except OSError as error:
            await self.release()
            raise _not_started(error, self._log) from error
        report = await process.report()
        if isinstance(report, Refused):
            await self.release()
            raise report.error()

    async def release(self) -> None:
        """End the process, where there is one, and wait until its memory is free."""
        process, self._process = self._process, None
        self._key, self._expected, self.device = (), 0, None
        if process:
            await process.end()

    def close(self) -> None:
        """End the process, the engine ending too."""
        if self._process:
            self._process.kill()

    def held(self, device: Device) -> int:
        """Give the bytes that the process holds of a device."""
        if self.process is None or self.device is None or not same(self.device, device):
            return 0
        return held(self.process.pid, device)

    def to_come(self, device: Device) -> int:
        """Give the bytes that it is still to take there; a process that died takes none."""
        died = self._process is not None and not self._process.alive
        if died or self.device is None or not same(self.device, device):
            return 0
        return max(0, self._expected - self.held(device))


def _not_started(error: OSError, log: Path) -> LoraDeckError:
    """Say that there is no process: no log can be written, or the machine gives none."""
    return LoraDeckError(
        tr("Chat not started"),
        tr(
            "Its process, which writes to {file}, cannot be started: {reason}.",
            file=log,
            reason=error.strerror or error,
        ),
        tr("Where the disk is full, make room; then ask again."),
    )
