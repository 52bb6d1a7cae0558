"""How busy NVIDIA cards are, as the driver tells; what it does not tell is ``None``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict

from engine.plan.holders import memory_by_process
from engine.plan.nvidia import allowed, ask, text
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.plan.nvidia import Nvml

T = TypeVar("T")
_CORE = 0
"""NVML's number of the sensor on the chip."""


class CardLoad(BaseModel):
    """What a card does at a moment."""

    model_config = ConfigDict(frozen=True)

    index: int
    uuid: str
    name: str
    busy: int | None = None
    """Per cent of the last moment in which something was computed."""
    temperature: int | None = None
    """Degrees Celsius, of the chip."""
    power: float | None = None
    power_limit: float | None = None
    """Watts."""
    memory_used: int | None = None
    memory_total: int | None = None
    """Bytes."""


@dataclass(frozen=True)
class Looked:
    """A card, and the bytes of its memory that processes hold, by their pids."""

    card: CardLoad
    held: dict[int, int]

    @property
    def index(self) -> int:
        """Which of several cards."""
        return self.card.index

    @property
    def uuid(self) -> str:
        """The card's own name."""
        return self.card.uuid


def card_loads(nvml: Nvml | None = None) -> list[Looked]:
    """Look at the cards that ``CUDA_VISIBLE_DEVICES`` leaves; none without a driver or a card."""
    return allowed(ask(nvml, _all, []), os.environ.get("CUDA_VISIBLE_DEVICES"))


def _all(nvml: Nvml) -> list[Looked]:
    """Look at every card."""
    count = nvml.nvmlDeviceGetCount()
    return [looked for index in range(count) if (looked := _look(nvml, index))]


def _look(nvml: Nvml, index: int) -> Looked | None:
    """Look at one card; ``None`` where it has fallen off the bus or is not ours to use."""
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        uuid, name = nvml.nvmlDeviceGetUUID(handle), nvml.nvmlDeviceGetName(handle)
    except nvml.NVMLError:
        return None

    def told(question: Callable[..., T], *more: Any) -> T | None:
        """Ask what this card, or this driver, may not tell."""
        try:
            return question(handle, *more)
        except nvml.NVMLError:
            return None

    rates = told(nvml.nvmlDeviceGetUtilizationRates)
    memory = told(nvml.nvmlDeviceGetMemoryInfo)
    card = CardLoad(
        index=index,
        uuid=text(uuid),
        name=visible(text(name)),
        busy=int(rates.gpu) if rates else None,
        temperature=told(nvml.nvmlDeviceGetTemperature, _CORE),
        power=_watts(told(nvml.nvmlDeviceGetPowerUsage)),
        power_limit=_watts(told(nvml.nvmlDeviceGetEnforcedPowerLimit)),
        memory_used=int(memory.used) if memory else None,
        memory_total=int(memory.total) if memory else None,
    )
    return Looked(card, memory_by_process(nvml, handle))


def _watts(milliwatts: int | None) -> float | None:
    """Give watts."""
    return None if milliwatts is None else milliwatts / 1000
