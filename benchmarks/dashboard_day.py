"""Whether the dashboard grows in a day: a step a second, the task's screen open, without the waits.

    .venv/bin/python -m benchmarks.dashboard_day

Every step comes as an event, and every twentieth with the record's figures, an evaluation each
thousand; the charts are drawn as often as the screen allows. Memory is what the process holds
at noon and at the day's end, the scripted engine in it included.
"""

from __future__ import annotations

import asyncio
import gc
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psutil

from benchmarks.dashboard_task import Stepping
from engine.home import Home
from engine.tasks.curves import Line
from engine.tasks.events import EVENT, Evaluated, StepLogged
from screens.task import TaskScreen
from tui.app import LoraDeckApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.tasks.events import Event

DAY = 86_400
_SIZE = 120, 40
_TASK = "00000001"


class _Day(Stepping):
    """Logs a day's steps as quickly as they are taken in."""

    def __init__(self) -> None:
        super().__init__()
        self.step = 0
        self.seq = 0

    async def events(
        self, task_id: str, after: int = 0, *, follow: bool = True, tail: int = 0
    ) -> AsyncIterator[Event]:
        while self.step < DAY:
            self.step += 1
            yield self._made(StepLogged(
                step=self.step, max_steps=DAY, epoch=self.step / 1000,
                loss=1 + self.step % 7 / 20, learning_rate=2e-4 * (1 - self.step / DAY),
                grad_norm=1 + self.step % 11 / 10, tokens=4000, seconds=1.0,
            ))  # fmt: skip
            if self.step % 1000 == 0:
                yield self._made(Evaluated(step=self.step, eval_loss=1.0))
            if self.step % 20 == 0:
                self.change(self.views[task_id].model_copy(update={"step": self.step}))
                await asyncio.sleep(0.002)
        await asyncio.Event().wait()

    def _made(self, event: Event) -> Event:
        """Number an event and send it through JSON, as it comes from a real engine."""
        self.seq += 1
        line = event.model_copy(update={"seq": self.seq}).model_dump_json()
        self._fold.add(msgspec.json.decode(line, type=Line))
        return EVENT.validate_json(line)


def measure() -> dict[str, float]:
    """Give the memory at noon and at the end of the day, in MB, and the growth between."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(root: Path) -> dict[str, float]:
    """Run through the day."""
    engine = _Day()
    app = LoraDeckApp(Home(root), engine)  # type: ignore[arg-type]
    async with app.run_test(size=_SIZE):
        app.push_screen(TaskScreen(app.session, _TASK))
        noon = await _held(engine, DAY // 2)
        late = await _held(engine, DAY)
    return {"day_noon": noon, "day_end": late, "day_growth": late - noon}


async def _held(engine: _Day, step: int) -> float:
    """Wait for a step and give the memory that the process holds then, in MB."""
    while engine.step < step:  # noqa: ASYNC110 - the dashboard sets no event for it
        await asyncio.sleep(0.05)
    await asyncio.sleep(2.0)
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 1e6


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
