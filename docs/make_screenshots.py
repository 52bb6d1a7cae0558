"""Draw the README's pictures: the real dashboard over a real training of the demo model.

    make screenshots

Uses a home of its own, into which it fetches the demo model; takes two minutes.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import sample_datasets
from engine.home import Home
from engine.server.client import EngineClient
from engine.server.wire import TrainRequest
from engine.settings import Settings
from engine.tasks.events import StepLogged
from tui.app import LoraDeckApp
from tui.cli.pulling import ensure_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

DOCS = Path(__file__).parent
SIZE = (112, 30)
STEP = 24


async def main() -> None:
    """Finish one short training, start one of some length, choose a third, draw."""
    with tempfile.TemporaryDirectory(prefix="loradeck-") as folder:
        os.environ["LORADECK_HOME"] = folder
        home = Home(Path(folder))
        async with EngineClient(home) as client:
            await client.connect()
            await ensure_model(client, "demo", quiet=False)
            await _train(client, "crumb", "sharegpt_example.json", until=3, max_steps=3)
            await _train(client, "loradeck-facts", "alpaca_example.json", until=STEP)
            await _draw(home)
            await client.cancel("loradeck-facts")
            async for _ in client.events("loradeck-facts"):
                pass  # until it has ended: its home is about to go
            await client.stop()


async def _train(client: EngineClient, name: str, file: str, until: int, **overrides: int) -> None:
    """Start a task and wait for one of its steps; for its end where that is the last."""
    dataset = str(Path(sample_datasets.__file__).with_name(file))
    request = TrainRequest(
        task_name=name, dataset_file=dataset, base_model="demo", overrides=overrides
    )
    task = await client.train(request)
    async for event in client.events(task.id):
        if isinstance(event, StepLogged) and event.step == until != event.max_steps:
            return


async def _draw(home: Home) -> None:
    """Choose a dataset and a model by keys, and save what stands on the screen."""
    app = LoraDeckApp(home, settings=Settings(theme="dark", glyphs="unicode"))
    async with app.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: "loradeck-facts" in _text(app))
        await pilot.press("d")
        await _until(pilot, lambda: "alpaca_zh" in _text(app))
        await pilot.press("g", "enter")  # alpaca_example.json, the one used last
        await _until(pilot, lambda: "Base models" in _text(app) and "ready" in _text(app))
        await pilot.press("enter")
        await _until(pilot, lambda: "learning rate" in _text(app))
        _save(app, "dashboard.svg")
        await pilot.press("e")
        await _until(pilot, lambda: "12 rows" in _text(app) and "<|im_start|>" in _text(app))
        _save(app, "rows.svg")
        await pilot.press("escape", "t", "enter")
        await _until(pilot, lambda: "Gradient norm" in _text(app))
        _save(app, "task.svg")
        await pilot.press("escape", "H")
        await _until(pilot, lambda: "crumb" in _text(app))
        await pilot.press("space", "down", "space", "c")
        await _until(pilot, lambda: "What differs" in _text(app) and "crumb" in _text(app))
        _save(app, "compare.svg")


def _save(app: LoraDeckApp, name: str) -> None:
    """Save what stands on the screen."""
    picture = app.export_screenshot(title="LoRADeck")
    # Some renderers drop a text's leading blanks without it.
    picture = picture.replace("<svg ", '<svg xml:space="preserve" ', 1)
    (DOCS / name).write_text(picture, encoding="utf-8")


def _text(app: LoraDeckApp) -> str:
    """Read the words on the screen."""
    lines = app.screen._compositor.render_strips()
    return "\n".join(line.text for line in lines)


async def _until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app run until something is so."""
    async with asyncio.timeout(60):
        while not condition():
            await pilot.pause(0.05)
    await pilot.pause(0.5)


if __name__ == "__main__":
    asyncio.run(main())
