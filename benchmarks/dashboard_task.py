"""What a task's screen costs: processor time while a training runs, and the opening of a long one.

    .venv/bin/python -m benchmarks.dashboard_task

The dashboard runs without a terminal, at 160x50, over an engine in the same process that logs 20
steps a second and tells of the task five times a second, as the real one does; what that engine
spends counts too. Then a real engine server is asked for a journal of 200,000 events.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.tables import print_table
from engine.home import Home
from engine.server.client import EngineClient
from engine.tasks.curves import CurveFold, Curves, Line
from engine.tasks.events import EVENT, StepLogged
from engine.tasks.store import TaskStore
from screens.home import HomeScreen
from screens.task import TaskScreen
from tests.engine.tasks.journals import write_long
from tests.tui.fake_engine import FakeEngine, running, task
from tui.app import LoraDeckApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.pilot import Pilot

    from engine.tasks.events import Event

SECONDS = 20.0
SETTLING = 3.0
STEPS_A_SECOND = 20
BEGUN = 5000
"""Steps that the task has made when its screen is opened."""
LONG_BYTES = 43_000_000
"""About 200,000 events."""
_SIZE = 160, 50
_TASK = "00000001"
_PATIENCE = 30.0


class Stepping(FakeEngine):
    """An engine with one task that steps."""

    def __init__(self) -> None:
        super().__init__([running()])
        self._fold = CurveFold()

    async def events(
        self, task_id: str, after: int = 0, *, follow: bool = True, tail: int = 0
    ) -> AsyncIterator[Event]:
        assert follow
        for step in itertools.count(after + 1):
            logged = StepLogged(
                seq=step, step=step, max_steps=100_000, epoch=step / 1000,
                loss=1 + 3 / (1 + step / 50) + step % 7 / 20, learning_rate=2e-4 * (1 - step / 1e5),
                grad_norm=1 + step % 11 / 10, tokens=4000, seconds=1 / STEPS_A_SECOND,
            )  # fmt: skip
            line = logged.model_dump_json()
            self._fold.add(msgspec.json.decode(line, type=Line))
            if step < BEGUN:
                if step > BEGUN - tail:
                    yield EVENT.validate_json(line)
                continue
            if step % (STEPS_A_SECOND // 5) == 0:
                figures = {"step": step, "max_steps": 100_000}
                self.change(self.views[task_id].model_copy(update=figures))
            yield EVENT.validate_json(line)
            await asyncio.sleep(1 / STEPS_A_SECOND)

    async def curves(
        self, task_id: str, points: int = 1000, first: int = 0, last: int | None = None
    ) -> Curves:
        self.calls["curves"] = [task_id]
        answer = self._fold.curves(points, first, last).model_dump_json()
        return Curves.model_validate(json.loads(answer))


def measure() -> dict[str, float]:
    """Measure shares of a core, and seconds."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        return {
            "task_share": asyncio.run(_share(root / "task", to_task=True)),
            "home_share": asyncio.run(_share(root / "home", to_task=False)),
            **asyncio.run(_opening(root / "long")),
        }


async def _share(root: Path, *, to_task: bool) -> float:
    """Measure the share of a core that the dashboard takes on a screen, in the steady state."""
    engine = Stepping() if to_task else FakeEngine([])
    app = LoraDeckApp(Home(root), engine)  # type: ignore[arg-type]
    async with _running(app):
        if to_task:
            app.push_screen(TaskScreen(app.session, _TASK))
        await asyncio.sleep(SETTLING)
        if to_task:
            await _until(lambda: _drawn(app))
        began, spent = time.monotonic(), time.process_time()
        await asyncio.sleep(SECONDS)
        return (time.process_time() - spent) / (time.monotonic() - began)


async def _opening(root: Path) -> dict[str, float]:
    """Measure the seconds from the key to a long task's charts and log, from a real server."""
    home = Home(root)
    home.tasks.mkdir(parents=True)
    record = task("long", "completed")
    folder = home.task(record.id)
    folder.mkdir()
    events = write_long(folder, LONG_BYTES)
    TaskStore(home).put(record)
    async with EngineClient(home) as client:
        await client.connect()
        try:
            first, again = await _opened_twice(home, record.id)
        finally:
            await client.stop()
            _wait_for_end(home)
    return {"events": events, "open_seconds": first, "open_again_seconds": again}


async def _opened_twice(home: Home, task_id: str) -> tuple[float, float]:
    """Open a task's screen, leave it, and open it again."""
    app = LoraDeckApp(home)
    seconds = []
    async with _running(app):
        await _until(lambda: task_id in app.session.tasks)
        for _ in range(2):
            began = time.monotonic()
            app.push_screen(TaskScreen(app.session, task_id))
            await _until(lambda: _drawn(app))
            seconds.append(time.monotonic() - began)
            app.pop_screen()
            await _until(lambda: isinstance(app.screen, HomeScreen))
    return seconds[0], seconds[1]


@asynccontextmanager
async def _running(app: LoraDeckApp) -> AsyncIterator[Pilot[None]]:
    """Run the dashboard without a terminal."""
    async with app.run_test(size=_SIZE) as pilot:
        await _until(lambda: app.session.status.state == "ready")
        yield pilot


def _drawn(app: LoraDeckApp) -> bool:
    """Tell whether a task's charts are drawn, and its log is filled."""
    screen: Any = app.screen
    return (
        isinstance(screen, TaskScreen)
        and screen.is_mounted
        and bool(screen.charts.curves and screen.charts.curves.steps)
        and bool(screen.log_lines.lines)
    )


async def _until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(_PATIENCE):
        while not condition():  # noqa: ASYNC110 - the dashboard sets no event for it
            await asyncio.sleep(0.005)


def _wait_for_end(home: Home) -> None:
    """Wait until the server has ended: its folder goes next."""
    deadline = time.monotonic() + _PATIENCE
    while os.path.lexists(home.socket) and time.monotonic() < deadline:
        time.sleep(0.05)


def main() -> None:
    """Measure and print."""
    figures = measure()
    rows = [
        ("task's screen, 20 steps a second", f"{figures['task_share']:.1%} of a core", "< 5 %"),
        ("Home, idle", f"{figures['home_share']:.2%} of a core", "< 0.5 %"),
        (f"open {figures['events']:,.0f} events", f"{figures['open_seconds']:.2f} s", "< 1.5 s"),
        ("open them again", f"{figures['open_again_seconds']:.2f} s", ""),
    ]
    print_table(("what", "measured", "to reach"), rows)


if __name__ == "__main__":
    main()
