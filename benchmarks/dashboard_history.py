"""How the dashboard fares with many tasks: taking them in, opening the history, moving in it.

    .venv/bin/python -m benchmarks.dashboard_history --tasks 10000

Runs the real app without a terminal, over an engine that sends the tasks as JSON, as the real one
does. ``connect`` is from the first update to the last task on the screen, ``longest_wait`` the most
that anything else on the screen's loop, a key say, had to wait meanwhile. ``open`` is from the key
to the list's first frame, moves are from the key to its frame; ``cpu`` is processor time.
``update`` is a step of a running task while the history is shown.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import tempfile
import time
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, cast

from engine.home import Home
from engine.tasks.view import TasksUpdate, TaskView
from screens.history import HistoryScreen
from screens.home import HomeScreen
from tests.tui.fake_engine import PLANNED, FakeEngine, running, task
from tui.app import LoraDeckApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from engine.server.client import EngineClient

_PART = 200
_STATES = ("completed", "failed", "cancelled")
_MOVES = {"cursor": ("j", 200), "page": ("pagedown", 100), "sort": ("s", 24)}
_UPDATES = 100
_SIZE = (160, 50)
_PERCENT = 100


class _ListedEngine(FakeEngine):
    """Sends its tasks as text, in parts."""

    def __init__(self, tasks: int) -> None:
        super().__init__()
        views = [_ended(number) for number in range(1, tasks + 1)]
        self.texts = [
            TasksUpdate(views=tuple(views[start : start + _PART]), more=start + _PART < tasks)
            .model_dump_json()
            for start in range(0, tasks, _PART)
        ]  # fmt: skip
        self.go = asyncio.Event()

    async def watch(self) -> AsyncIterator[TasksUpdate]:
        await self.go.wait()
        for text in self.texts:
            yield TasksUpdate.model_validate_json(text)
            await asyncio.sleep(0)
        await asyncio.Event().wait()


class _Lag:
    """The longest that the loop was held up while it looks, in its thread's processor time.

    So that other programs on the machine do not count.
    """

    def __init__(self) -> None:
        self.longest = 0.0

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Look as long as the block runs."""
        times: list[float] = []

        async def look() -> None:
            while True:
                times.append(time.thread_time())
                await asyncio.sleep(0.001)

        looker = asyncio.create_task(look())
        try:
            yield
        finally:
            looker.cancel()
            times.append(time.thread_time())
            self.longest = max(late - early for early, late in pairwise(times))


def measure(tasks: int = 10_000) -> dict[str, float]:
    """Give all figures in milliseconds."""
    return asyncio.run(_measure(tasks))


async def _measure(tasks: int) -> dict[str, float]:
    """Lead the app through it."""
    engine = _ListedEngine(tasks)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        app = LoraDeckApp(Home(Path(folder)), cast("EngineClient", engine))
        async with app.run_test(size=_SIZE):
            gc.collect()  # what made the texts is not the dashboard's
            await _connect(app, engine, tasks, figures)
            await _open(app, tasks, figures)
            for name, (key, count) in _MOVES.items():
                await _move(app, name, key, count, figures)
            await _update(app, figures)
    return {name: round(1000 * seconds, 1) for name, seconds in figures.items()}


async def _connect(
    app: LoraDeckApp, engine: _ListedEngine, tasks: int, figures: dict[str, float]
) -> None:
    """Let the tasks come."""
    lag = _Lag()
    home = app.screen
    assert isinstance(home, HomeScreen)
    began, used = time.perf_counter(), time.process_time()
    async with lag.looking():
        engine.go.set()
        await _until(lambda: len(app.session.tasks) == tasks)
        await _painted(app)
    figures["connect"] = time.perf_counter() - began
    figures["connect_cpu"] = time.process_time() - used
    figures["connect_longest_wait"] = lag.longest


async def _open(app: LoraDeckApp, tasks: int, figures: dict[str, float]) -> None:
    """Open the history."""
    began, used = time.perf_counter(), time.process_time()
    app.simulate_key("H")
    await _until(lambda: isinstance(app.screen, HistoryScreen) and app.screen.is_mounted)
    screen = app.screen
    assert isinstance(screen, HistoryScreen)
    await _until(lambda: len(screen.table.items) == tasks)
    await _painted(app)
    figures["open"] = time.perf_counter() - began
    figures["open_cpu"] = time.process_time() - used


async def _move(
    app: LoraDeckApp, name: str, key: str, count: int, figures: dict[str, float]
) -> None:
    """Press a key again and again."""
    times = []
    used = time.process_time()
    for _ in range(count):
        began = time.perf_counter()
        app.simulate_key(key)
        await _painted(app)
        times.append(time.perf_counter() - began)
    figures[f"{name}_cpu"] = (time.process_time() - used) / count
    percentiles = quantiles(times, n=_PERCENT)
    figures[f"{name}_p50"], figures[f"{name}_p99"] = percentiles[49], percentiles[98]


async def _update(app: LoraDeckApp, figures: dict[str, float]) -> None:
    """Let a task train that is sorted by its loss: each step may change its place."""
    used = time.process_time()
    for number in range(_UPDATES):
        view = running(step=1 + number % 24, number=1)
        app._tell(app.session.apply([TasksUpdate(views=(view,))]))
        await _painted(app)
    figures["update_cpu"] = (time.process_time() - used) / _UPDATES


async def _until(condition: Callable[[], bool]) -> None:
    """Let the app run until something is so."""
    while not condition():  # noqa: ASYNC110 - nothing tells of it, and the app is not to know
        await asyncio.sleep(0.001)


async def _painted(app: LoraDeckApp) -> None:
    """Wait until what was asked for is done and drawn."""
    done = asyncio.Event()
    app.call_later(lambda: app.screen.call_after_refresh(done.set))
    await done.wait()


def _ended(number: int) -> TaskView:
    """Make an ended task with all that a real one's record has."""
    status = _STATES[number % len(_STATES)]
    record = task(
        f"support-{number}", status, number, training_params=PLANNED.model_dump(mode="json"),
        final_loss=0.4 + number % 97 / 100, dataset_file=f"/data/set-{number % 40}.jsonl",
    )  # fmt: skip
    return TaskView(task=record, loss=record.final_loss)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    print(json.dumps(measure(parser.parse_args().tasks), indent=2))


if __name__ == "__main__":
    main()
