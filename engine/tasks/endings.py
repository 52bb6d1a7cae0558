"""What became of a task whose worker is gone: its last event tells, or else how the worker went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.language import tr
from engine.tasks.events import StopTested, TaskCompleted, TaskFailed, TaskStopped
from engine.tasks.record import Status

if TYPE_CHECKING:
    from engine.tasks.causes import Exit
    from engine.tasks.progress import Outcome, Progress
    from engine.tasks.record import TaskRecord

MOST_INTERRUPTIONS = 3
"""How often a task goes on by itself without having come further."""
Changes = dict[str, Any]
"""Of a record's fields."""


def ended(task: TaskRecord, progress: Progress, gone: Exit, *, disk_full: bool) -> TaskRecord:
    """Give a running task the state that it is in now.

    Args:
        gone: How its worker went.
        disk_full: Whether the disk is, or the worker ended because it was.
    """
    # An older worker's last word says nothing of one that never came to report
    reported = progress.last_seq > task.launch_seq
    outcome = progress.outcome if reported else None
    live: Changes = {
        "progress": progress.view(task).task.progress,
        "current_epoch": progress.epoch,
        "eval_loss": progress.eval_loss,
        "resume_step": progress.checkpoint,
    }
    if over := _over(task, progress, outcome, live):
        return over
    came_further = progress.checkpoint > task.resume_step  # a stop that saved is progress too
    live["interruptions"] = 0 if came_further else task.interruptions
    live["disk_stops"] = 0 if came_further else task.disk_stops
    if task.requested == "pause":
        words = tr("Paused at step {step}.", step=progress.checkpoint)
        return task.moved(Status.PAUSED, words, requested="", **live)
    if disk_full or (isinstance(outcome, TaskStopped) and outcome.disk_full):
        return _out_of_room(task, live)
    if isinstance(outcome, TaskStopped):  # it saved a checkpoint: nothing is lost
        words = tr(
            "Its worker was asked to stop; goes on from step {step}.", step=progress.checkpoint
        )
        return task.moved(Status.PENDING, words, **live)
    if reported or gone.code is not None:
        live["interruptions"] += 1  # else the engine was lost while the worker imported
    return _interrupted(task, gone, live)


def _over(
    task: TaskRecord, progress: Progress, outcome: Outcome | None, live: Changes
) -> TaskRecord | None:
    """End a task that is done, has failed or was cancelled; ``None`` where it is to go on."""
    if isinstance(outcome, TaskCompleted):
        done = {"progress": 100.0, "final_loss": outcome.train_loss, "requested": ""}
        return task.moved(Status.COMPLETED, _saved_words(progress.stop_test), **live | done)
    if isinstance(outcome, TaskFailed):
        words = f"{outcome.title}: {outcome.message} {outcome.hint}".strip()
        return task.moved(Status.FAILED, words, requested="", **live)
    if task.requested in ("cancel", "discard"):
        return _cancelled(task, progress.step, live)
    return None


def _cancelled(task: TaskRecord, step: int, live: Changes) -> TaskRecord:
    """End a task without a result."""
    saved = live["resume_step"] if task.requested == "cancel" else 0
    words = tr("Cancelled at step {step}.", step=step)
    if saved:
        words = tr(
            "Cancelled at step {step}; its checkpoint of step {saved} is kept.",
            step=step,
            saved=saved,
        )
    return task.moved(Status.CANCELLED, words, requested="", **live | {"resume_step": saved})


def _out_of_room(task: TaskRecord, live: Changes) -> TaskRecord:
    """Pause a task for want of room; for good where what is said to be free is not to be had."""
    stops = live["disk_stops"] + 1
    if stops <= MOST_INTERRUPTIONS:
        waiting = {"disk_stops": stops, "waits_for_disk": True}
        words = tr(
            "The disk is full; goes on from step {step} by itself once there is room.",
            step=live["resume_step"],
        )
        return task.moved(Status.PAUSED, words, **live | waiting)
    words = tr(
        "The disk was full {count} times without progress: a quota, or a full folder for "
        "temporary files? Make room, then: loradeck tasks resume {id}",
        count=stops,
        id=task.id,
    )
    return task.moved(Status.PAUSED, words, **live | {"disk_stops": 0})


def _interrupted(task: TaskRecord, gone: Exit, live: Changes) -> TaskRecord:
    """Queue a task again whose worker was lost, unless that happens again and again."""
    count, saved = live["interruptions"], live["resume_step"]
    if count > MOST_INTERRUPTIONS:
        words = tr(
            "Interrupted {count} times without progress ({cause}). {kept} "
            "See: loradeck tasks logs {id}",
            count=count,
            cause=gone.cause,
            kept=_kept(saved),
            id=task.id,
        )
        return task.moved(Status.FAILED, words, **live)
    words = tr("Interrupted ({cause}); goes on from step {step}.", cause=gone.cause, step=saved)
    return task.moved(Status.PENDING, words, **live)


def _kept(saved: int) -> str:
    """Say what is left of a task that failed."""
    if saved:
        return tr("Its checkpoint of step {step} is kept.", step=saved)
    return tr("It had saved nothing yet.")


def _saved_words(tested: StopTested | None) -> str:
    """Say that the adapter is there, and whether it ends its answers."""
    if tested is None or tested.ended == tested.asked:
        return tr("Adapter saved.")
    return tr(
        "Adapter saved; only {ended} of {asked} answers ended by themselves: "
        "train longer, or look whether the rows' answers are cut off.",
        ended=tested.ended,
        asked=tested.asked,
    )
