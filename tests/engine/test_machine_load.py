"""How busy the machine is: told to all who ask, looked at once a second, from a fake driver."""

from __future__ import annotations

import asyncio
import os
from collections import namedtuple
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from engine import machine_load
from engine.card_load import Looked, card_loads
from engine.machine_load import MachineWatch
from tests.engine.plan.test_nvidia import FakeNvml, two

if TYPE_CHECKING:
    from collections.abc import Callable

Times = namedtuple("Times", "user system idle iowait guest")


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine use the second and third core, and all cards."""
    monkeypatch.setattr(machine_load.os, "sched_getaffinity", lambda _: {1, 2}, raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_cards_are_told_with_what_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = two()
    driver.computing = [(7, 9), (8, None)]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    old, new = card_loads(driver)
    assert (old.card.name, old.card.busy, old.card.temperature) == ("Tesla T4", 89, 61)
    assert (new.card.memory_used, new.card.memory_total) == (4, 24)
    assert (new.card.power, new.card.power_limit) == (251.5, 450.0)
    assert new.held == {7: 9, 8: 0}
    assert not driver.open


def test_what_a_card_does_not_tell_is_left_out() -> None:
    (card,) = card_loads(FakeNvml([("GB10", 12, -1)], silent=True))
    assert (card.card.power, card.card.memory_total, card.card.busy) == (None, None, 90)
    lost = two()
    lost.lost = 0
    assert [one.card.name for one in card_loads(lost)] == ["Tesla T4"]
    assert card_loads(FakeNvml(without_driver=True)) == []


class Clock:
    """A clock that tests set, and how often the cards were looked at."""

    def __init__(self, cards: Callable[[], list[Looked]]) -> None:
        self.now, self.looks, self._cards = 100.0, 0, cards

    def __call__(self) -> float:
        return self.now

    def cards(self) -> list[Looked]:
        self.looks += 1
        return self._cards()


async def test_all_who_ask_within_a_second_share_a_look() -> None:
    clock = Clock(list)
    watch = MachineWatch(dict, clock.cards, clock)
    first, second = await asyncio.gather(watch.load(), watch.load())
    assert first is second
    clock.now += 0.9
    assert await watch.load() is first
    clock.now += 0.2
    assert await watch.load() is not first
    assert clock.looks == 2
    assert 0 < first.memory_used < first.memory_total


async def test_the_processors_load_is_that_of_the_cores_at_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    idle, busy = Times(0, 0, 100, 0, 0), Times(50, 10, 100, 0, 0)
    cores: list[Any] = [idle, busy, idle]
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: list(cores))
    clock = Clock(list)
    watch = MachineWatch(dict, clock.cards, clock)
    assert (await watch.load()).cpu is None
    clock.now += 2
    cores[:] = [Times(999, 0, 100, 0, 0), Times(56, 12, 101, 1, 4), Times(2, 0, 104, 0, 0)]
    assert (await watch.load()).cpu == pytest.approx(62.5)
    clock.now += 60
    assert (await watch.load()).cpu is None


async def test_workers_are_told_with_what_they_hold() -> None:
    driver = two()
    driver.computing = [(os.getpid(), 5)]
    clock = Clock(lambda: card_loads(driver))
    pids = {"aa": os.getpid(), "bb": 4_000_000_001}
    load = await MachineWatch(lambda: pids, clock.cards, clock).load()
    assert list(load.workers) == ["aa"]
    assert load.workers["aa"].memory > 1_000_000
    assert load.workers["aa"].cards == 10
    driver.computing = []
    clock.now += 1
    load = await MachineWatch(lambda: pids, clock.cards, clock).load()
    assert load.workers["aa"].cards is None
