"""What a run that is over teaches: the plans to come, and its own next attempt."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from engine.plan.calibration import Calibrations
from engine.plan.types import Plan
from engine.train.adjustments import Adjustments

if TYPE_CHECKING:
    from pathlib import Path

    from engine.home import Home
    from engine.tasks.progress import Progress

log = logging.getLogger(__name__)


def remember(home: Home, task_id: str, progress: Progress) -> None:
    """Let what a run has measured correct the plans to come."""
    if not (probed := progress.probed):
        return
    try:
        plan, pace = Plan.load(home.task(task_id)), progress.settled_pace()
        known = Calibrations.load(home.calibrations)
        known.with_run(plan, probed, progress.peak, *pace).save(home.calibrations)
    except (OSError, ValueError) as error:
        log.warning("what task %s measured is lost: %s", task_id, error)


def make_smaller(folder: Path) -> None:
    """Let a task go on in smaller passes that was killed twice at one place.

    Once may be somebody's hand; twice it is a lack of memory.
    """
    adjustments = Adjustments.load(folder)
    adjustments.model_copy(update={"killed": adjustments.killed + 1}).save(folder)
