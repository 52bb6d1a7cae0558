"""Followers see every event once, however slow they are, and what changed since they looked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from engine.errors import LoraDeckError
from engine.tasks import live as live_module
from engine.tasks.journal import JournalWriter
from engine.tasks.live import LiveTasks
from engine.tasks.record import Status
from engine.tasks.store import TaskStore
from engine.tasks.view import TasksUpdate
from tests.engine.tasks.make import record, step

if TYPE_CHECKING:
    from engine.home import Home


async def test_events_are_followed_to_the_end(home: Home) -> None:
    store = TaskStore(home)
    live = LiveTasks(home, store)
    task = store.put(record(status=Status.RUNNING))
    home.task(task.id).mkdir(parents=True)
    writer = JournalWriter(home.task(task.id))
    writer.append(step(1))
    seen: list[int] = []

    async def follow() -> None:
        seen.extend([event.seq async for event in live.events(task.id, 0, follow=True)])

    following = asyncio.create_task(follow())
    for number in range(2, 6):
        await asyncio.sleep(0)
        writer.append(step(number))
        live.touch(task.id)
    writer.close()
    store.put(task.moved(Status.COMPLETED))
    live.touch(task.id)
    async with asyncio.timeout(5):
        await following
    assert seen == [1, 2, 3, 4, 5]


async def test_events_after_a_number_without_following(home: Home) -> None:
    store = TaskStore(home)
    live = LiveTasks(home, store)
    task = store.put(record(status=Status.RUNNING))
    home.task(task.id).mkdir(parents=True)
    writer = JournalWriter(home.task(task.id))
    for number in range(1, 6):
        writer.append(step(number))
    writer.close()
    assert [event.seq async for event in live.events(task.id, 3, follow=False)] == [4, 5]


@pytest.mark.parametrize(
    ("after", "tail", "seen"),
    [(0, 2, [4, 5]), (0, 9, [1, 2, 3, 4, 5]), (4, 3, [5]), (1, 3, [3, 4, 5]), (9, 1, [])],
)
async def test_the_last_events_alone(home: Home, after: int, tail: int, seen: list[int]) -> None:
    store = TaskStore(home)
    live = LiveTasks(home, store)
    task = store.put(record(status=Status.RUNNING))
    home.task(task.id).mkdir(parents=True)
    writer = JournalWriter(home.task(task.id))
    for number in range(1, 6):
        writer.append(step(number))
    writer.close()
    events = live.events(task.id, after, follow=False, tail=tail)
    assert [event.seq async for event in events] == seen


async def test_updates_are_coalesced_and_tell_of_deletions(home: Home) -> None:
    store = TaskStore(home)
    live = LiveTasks(home, store)
    task, other = store.put(record()), store.put(record(task_name="other"))
    updates = live.updates()
    first = await anext(updates)
    assert {view.task.id for view in first.views} == {task.id, other.id}
    coming = asyncio.ensure_future(anext(updates))
    await asyncio.sleep(0)
    for percent in range(50):
        store.put(task.model_copy(update={"message": str(percent)}))
        live.touch(task.id)
    store.remove(other.id)
    live.forget(other.id)
    update = await coming
    assert [view.task.message for view in update.views] == ["49"]
    assert update.removed == (other.id,)
    await updates.aclose()


async def test_many_tasks_come_in_parts(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "_TASKS_AT_ONCE", 2)
    store = TaskStore(home)
    live = LiveTasks(home, store)
    updates = live.updates()
    assert await anext(updates) == TasksUpdate()
    await updates.aclose()
    ids = [store.put(record(task_name=str(number))).id for number in range(3)]
    updates = live.updates()
    first = await anext(updates)
    store.remove(ids[0])  # the oldest: it would come last
    last = await anext(updates)
    assert [len(first.views), first.more, len(last.views), last.more] == [2, True, 0, False]
    await updates.aclose()


async def test_a_journal_of_no_use_is_told_to_who_asks_and_stops_nobody_else(home: Home) -> None:
    store = TaskStore(home)
    live = LiveTasks(home, store)
    task = store.put(record(status=Status.RUNNING))
    (home.task(task.id) / "events.jsonl").mkdir(parents=True)
    assert live.view(task.id).step == 0
    with pytest.raises(LoraDeckError, match="Journal not usable"):
        await anext(live.events(task.id, 0, follow=True))


async def test_a_long_journal_that_is_read_fast_delays_nobody(home: Home) -> None:
    store = TaskStore(home)
    live = LiveTasks(home, store)
    task = store.put(record(status=Status.RUNNING))
    home.task(task.id).mkdir(parents=True)
    writer = JournalWriter(home.task(task.id))
    for number in range(1000):
        writer.append(step(number))
    writer.close()
    turns: list[int] = []
    seen = 0
    asyncio.get_running_loop().call_soon(lambda: turns.append(seen))
    async for _ in live.events(task.id, 0, follow=False):
        seen += 1
    assert seen == 1000
    assert turns[0] < 1000
