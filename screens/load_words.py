"""How busy the machine is, in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.language import listed, tr
from engine.text import human_bytes

if TYPE_CHECKING:
    from engine.card_load import CardLoad
    from engine.machine_load import MachineLoad
    from engine.tasks.events import MemoryProbed
    from engine.tasks.record import TaskRecord


def load_facts(load: MachineLoad, task: TaskRecord) -> dict[str, str]:
    """Say what the task's card does, or the processor and the memory where it has none."""
    if (card := _card(load, task)) is not None:
        name = tr("GPU {index}", index=card.index) if len(load.cards) > 1 else tr("GPU")
        return {name: _card_words(card)}
    memory = _of(load.memory_used, load.memory_total)
    busy = "" if load.cpu is None else f"{load.cpu:.0f} %"
    return {tr("CPU"): busy, tr("RAM"): memory}


def memory_words(load: MachineLoad | None, task: TaskRecord, probed: MemoryProbed | None) -> str:
    """Write what the worker holds now, what the probe measured and what the plan expected."""
    now = _held(load, task) if load is not None else None
    words = [tr("{size} now", size=human_bytes(now))] if now else []
    if probed is not None:
        words += [
            tr("{size} probed", size=human_bytes(probed.measured)),
            tr("{size} predicted", size=human_bytes(probed.predicted)),
        ]
    return listed(words)


def _held(load: MachineLoad, task: TaskRecord) -> int | None:
    """Give the bytes that a worker holds: of its card, else of the machine's memory."""
    worker = load.workers.get(task.id)
    if worker is None:
        return None
    if (card := _card(load, task)) is None:
        return worker.memory
    # Inside a container the driver does not tell whose memory it is: then it is the card's
    return card.memory_used if worker.cards is None else worker.cards


def _card(load: MachineLoad, task: TaskRecord) -> CardLoad | None:
    """Find the card that a task runs on."""
    return next((card for card in load.cards if card.uuid and card.uuid == task.device_uuid), None)


def _card_words(card: CardLoad) -> str:
    """Say what a card does, as far as its driver tells."""
    words = []
    if card.busy is not None:
        words.append(f"{card.busy} %")
    if card.temperature is not None:
        words.append(f"{card.temperature} °C")
    if card.power is not None:
        limit = "" if card.power_limit is None else f"/{card.power_limit:.0f}"
        words.append(f"{card.power:.0f}{limit} W")
    if card.memory_used is not None and card.memory_total is not None:
        words.append(_of(card.memory_used, card.memory_total))
    return " · ".join(words)


def _of(used: int, total: int) -> str:
    """Write how much of something is used."""
    return tr("{used} of {total}", used=human_bytes(used), total=human_bytes(total))
