"""Tasks share a device only where the memory that their plans predict is free."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from engine.plan.parameters import TrainingParams
from engine.plan.types import Device, Holder, Memory, Plan
from engine.settings import Settings
from engine.tasks import admission
from engine.tasks.admission import Admission, Occupant, held

if TYPE_CHECKING:
    from pathlib import Path

GIB = 2**30


def _card(uuid: str, free: int, *, name: str = "A10", holders: tuple[Holder, ...] = ()) -> Device:
    """A card of 24 GiB."""
    return Device(
        kind="cuda",
        name=name,
        uuid=uuid,
        memory_total=24 * GIB,
        memory_free=free * GIB,
        holders=holders,
    )


def _plan(device: Device, total: int) -> Plan:
    """A plan that predicts so many GiB."""
    memory = Memory(parts={}, total=total * GIB, free=device.memory_free)
    return Plan.model_construct(
        device=device, memory=memory, training_params=TrainingParams(), disk_parts={}
    )


def _admission(*devices: Device, most: int = 4) -> Admission:
    """An admission over given devices."""
    settings = Settings(tasks_per_gpu=most)
    return Admission(settings, None, lambda: list(devices))  # type: ignore[arg-type]


def test_the_planned_card_is_taken_though_another_has_more_free() -> None:
    first, second = _card("a", 10), _card("b", 20)
    assert _admission(second, first).device_for(_plan(first, 8), [], spare=None) == first


def test_another_card_of_its_kind_is_taken_where_the_planned_one_is_full() -> None:
    first, second, other = _card("a", 4), _card("b", 20), _card("c", 20, name="T4")
    found = _admission(first, other, second).device_for(_plan(first, 8), [], spare=None)
    assert found == second


def test_it_waits_where_no_card_has_room() -> None:
    first, other = _card("a", 4), _card("c", 20, name="T4")
    assert _admission(first, other).device_for(_plan(first, 8), [], spare=None) is None


@pytest.mark.parametrize(("taken", "fits"), [(0, False), (5, False), (10, True)])
def test_what_others_are_still_to_take_is_not_free(taken: int, fits: bool) -> None:
    # 24 GiB in all; the other task is to take 10 of them and holds some by now
    holders = (Holder(pid=7, name="python", memory=taken * GIB),)
    card = _card("a", 22 - taken, holders=holders)
    other = Occupant(_plan(card, 10), pid=7)
    admitted = _admission(card).device_for(_plan(card, 12), [other], spare=None)
    assert (admitted is not None) is (fits or taken == 0 or taken == 5)
    larger = _admission(card).device_for(_plan(card, 13), [other], spare=None)
    assert larger is None


def test_no_more_tasks_than_the_settings_want_unless_asked() -> None:
    card = _card("a", 24)
    other = Occupant(_plan(card, 1), pid=None)
    alone = _admission(card, most=1)
    assert alone.device_for(_plan(card, 2), [other], spare=None) is None
    assert alone.device_for(_plan(card, 2), [other], spare=None, crowd=True) == card


def test_what_the_spare_worker_holds_is_the_tasks() -> None:
    cpu = Device(kind="cpu", name="CPU", memory_total=GIB, memory_free=100)
    ours = held(os.getpid(), cpu)
    assert ours > 10**6
    plan = Plan.model_construct(device=cpu, memory=Memory(parts={}, total=100 + ours // 2, free=1))
    assert _admission(cpu).device_for(plan, [], spare=None) is None
    assert _admission(cpu).device_for(plan, [], spare=os.getpid()) == cpu
    assert held(None, cpu) == 0


def test_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = _plan(_card("a", 1), 1).model_copy(
        update={
            "disk_parts": {"checkpoints": 400_000_000, "adapter": 40_000_000, "cache": 10_000_000}
        }
    )
    found = Admission(Settings(disk_reserve_mb=100), tmp_path)
    assert found.disk_free > 0
    for free, enough in ((349_000_000, False), (351_000_000, True)):
        monkeypatch.setattr(admission.Admission, "disk_free", free)
        assert found.has_disk(plan) is enough
