"""A task whose card the user chose starts there and nowhere else, and overtakes nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.errors import ConflictError
from engine.plan.parameters import TrainingParams
from engine.plan.types import Device, Memory, Plan
from engine.tasks.record import Status

if TYPE_CHECKING:
    from pathlib import Path

    from engine.tasks.record import TaskRecord
    from tests.engine.tasks.bench import Bench


@pytest.fixture(autouse=True)
def plans(monkeypatch: pytest.MonkeyPatch) -> dict[Path, Plan]:
    """The plans of task folders."""
    made: dict[Path, Plan] = {}
    monkeypatch.setattr("engine.tasks.scheduler.load_plan", lambda folder: made[folder])
    return made


def _card(index: int, free: int = 1000) -> Device:
    """A card of 1000 bytes."""
    return Device(kind="cuda", name="A10", index=index, uuid=f"GPU-{index}", memory_total=1000,
                  memory_free=free)  # fmt: skip


class Queue:
    """Adds tasks to a bench that are planned for cards."""

    def __init__(self, bench: Bench, plans: dict[Path, Plan]) -> None:
        self._bench, self._plans = bench, plans

    def add(self, name: str, card: Device, *, chosen: bool, total: int = 800) -> TaskRecord:
        """Add a task on a card, of the user's choice or not."""
        task = self._bench.add(name)
        self._plans[self._bench.home.task(task.id)] = Plan.model_construct(
            device=card.model_copy(update={"chosen": chosen}),
            memory=Memory(parts={}, total=total, free=1000),
            training_params=TrainingParams(),
            disk_parts={},
        )
        return task


@pytest.fixture
def queue(bench: Bench, plans: dict[Path, Plan]) -> Queue:
    """The bench's queue."""
    return Queue(bench, plans)


async def test_a_task_starts_on_the_chosen_card_alone(bench: Bench, queue: Queue) -> None:
    full, empty = _card(0, free=100), _card(1)
    bench.devices = [empty, full]
    chosen = queue.add("chosen", full, chosen=True)
    free = queue.add("free", full, chosen=False)
    bench.scheduler.admit()
    assert bench.status(chosen) is Status.PENDING
    assert bench.store.get(chosen.id).message == "Waits until 800 B are free on A10 (card 0)."
    assert bench.store.get(free.id).device_uuid == "GPU-1"
    bench.devices = [empty, _card(0)]
    bench.scheduler.admit()
    assert bench.store.get(chosen.id).device_uuid == "GPU-0"
    spec = bench.pool.given[-1].spec
    assert spec is not None
    assert spec.plan.device.chosen


async def test_a_card_that_a_task_waits_for_is_kept_for_it(bench: Bench, queue: Queue) -> None:
    bench.devices = [_card(0), _card(1)]
    large = queue.add("large", _card(0), chosen=True, total=1200)
    small = queue.add("small", _card(0), chosen=True)
    free = queue.add("free", _card(0), chosen=False)
    last = queue.add("last", _card(0), chosen=False)
    bench.scheduler.admit()
    states = [bench.status(task) for task in (large, small, free, last)]
    assert states == [Status.PENDING, Status.PENDING, Status.RUNNING, Status.PENDING]
    assert bench.store.get(free.id).device_uuid == "GPU-1"


async def test_one_that_waits_for_any_card_goes_before_those_with_a_choice(
    bench: Bench, queue: Queue
) -> None:
    bench.devices = [_card(0), _card(1)]
    large = queue.add("large", _card(0), chosen=False, total=1200)
    small = queue.add("small", _card(1), chosen=True)
    bench.scheduler.admit()
    assert (bench.status(large), bench.status(small)) == (Status.PENDING, Status.PENDING)


async def test_a_chosen_card_that_is_gone_is_waited_for_in_words(
    bench: Bench, queue: Queue
) -> None:
    bench.devices = [_card(1)]
    task = queue.add("chosen", _card(0), chosen=True)
    bench.scheduler.admit()
    words = "Waits for A10 (card 0), which this machine does not have now."
    assert bench.store.get(task.id).message == words
    with pytest.raises(ConflictError):
        bench.scheduler.start(bench.store.get(task.id), anyway=False)
