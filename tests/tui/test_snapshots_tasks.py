"""Pictures of what can be done with tasks; new ones by ``pytest tests/tui --snapshot-update``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screens.dialogs import CancelDialog
from tests.tui.conftest import SIZES, Picture, drawn, until
from tests.tui.fake_engine import FakeEngine, running, training_events
from tests.tui.test_task_actions import paused, queued

if TYPE_CHECKING:
    from textual.pilot import Pilot

PAUSED = "00000002"


def scripted() -> FakeEngine:
    """Make an engine with a running, a paused and three queued tasks, two with a priority."""
    interrupted = "Interrupted (killed, most likely for lack of memory); goes on from step 6."
    first = running()
    first = first.model_copy(
        update={"task": first.task.model_copy(update={"message": interrupted})}
    )
    engine = FakeEngine([
        first,
        paused(message="The disk is full; goes on from step 8 by itself once there is room."),
        queued("usual", 3, message="Goes on from step 12."),
        queued("urgent", 4, priority=10),
        queued("when-there-is-time", 5, priority=-5),
    ])  # fmt: skip
    engine.event_script[PAUSED] = training_events(8)
    return engine


async def to_queue(pilot: Pilot[None]) -> None:
    """Go to the list, to a queued task."""
    await pilot.press("t")
    pilot.app.screen.tasks.cursor = "00000003"
    await pilot.pause()


async def to_paused(pilot: Pilot[None]) -> None:
    """Open the paused task."""
    app = pilot.app
    await pilot.press("t")
    app.screen.tasks.cursor = PAUSED
    await pilot.press("enter")
    await until(pilot, lambda: drawn(app))


async def to_cancel(pilot: Pilot[None]) -> None:
    """Ask what becomes of its checkpoints."""
    await to_paused(pilot)
    await pilot.press("c")
    await until(pilot, lambda: isinstance(pilot.app.screen, CancelDialog))


@SIZES
def test_home_with_a_queue(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_queue, size)


@SIZES
def test_paused_task(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_paused, size)


@SIZES
def test_cancel(picture: Picture, size: tuple[int, int]) -> None:
    assert picture.matches(scripted(), to_cancel, size)
