"""What became of a task whose worker is gone: its last event tells, or else how the worker went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.tasks.events import StopTested, TaskCompleted, TaskFailed, TaskStopped
from engine.tasks.record import Status

if TYPE_CHECKING:
    from engine.tasks.causes import Exit
    from engine.tasks.progress import Progress
    from engine.tasks.record import TaskRecord

MOST_INTERRUPTIONS = 3
"""How often a task goes on by itself without having come further."""
NO_ROOM = "The disk is full; goes on from step {step} by itself once there is room."


def ended(task: TaskRecord, progress: Progress, gone: Exit, *, disk_full: bool) -> TaskRecord:
    """Give a running task the state that it is in now.

    Args:
        gone: How its worker went.
        disk_full: Whether the disk is, or the worker ended because it was.
    """
    live = {"progress": progress.view(task).task.progress, "current_epoch": progress.epoch}
    # An older worker's last word says nothing of one that never came to report
    reported = progress.last_seq > task.launch_seq
    outcome, saved = progress.outcome if reported else None, progress.checkpoint
    if isinstance(outcome, TaskCompleted):
        return task.moved(
            Status.COMPLETED,
            _saved_words(progress.stop_test),
            requested="",
            progress=100.0,
            current_epoch=progress.epoch,
            final_loss=outcome.train_loss,
        )
    if isinstance(outcome, TaskFailed):
        words = f"{outcome.title}: {outcome.message} {outcome.hint}".strip()
        return task.moved(Status.FAILED, words, requested="", **live)
    if task.requested in ("cancel", "discard"):
        kept = f"; its checkpoint of step {saved} is kept" if task.requested == "cancel" else ""
        words = f"Cancelled at step {progress.step}{kept if saved else ''}."
        live["resume_step"] = saved if kept else 0
        return task.moved(Status.CANCELLED, words, requested="", **live)
    # A stop that saved a checkpoint is progress too
    before = 0 if saved > task.resume_step else task.interruptions
    stops = 0 if saved > task.resume_step else task.disk_stops
    live |= {"resume_step": saved, "interruptions": before, "disk_stops": stops}
    if task.requested == "pause":
        return task.moved(Status.PAUSED, f"Paused at step {saved}.", requested="", **live)
    if disk_full or (isinstance(outcome, TaskStopped) and outcome.disk_full):
        return _out_of_room(task, saved, live | {"disk_stops": stops + 1})
    if isinstance(outcome, TaskStopped):  # it saved a checkpoint: nothing is lost
        words = f"Its worker was asked to stop; goes on from step {saved}."
        return task.moved(Status.PENDING, words, **live)
    if reported or gone.code is not None:
        live["interruptions"] = before + 1  # else the engine was lost while the worker imported
    return _interrupted(task, saved, gone, live)


def _out_of_room(task: TaskRecord, saved: int, live: dict[str, float]) -> TaskRecord:
    """Pause a task for want of room; for good where what is said to be free is not to be had."""
    if live["disk_stops"] <= MOST_INTERRUPTIONS:
        return task.moved(Status.PAUSED, NO_ROOM.format(step=saved), waits_for_disk=True, **live)
    words = (
        f"The disk was full {live['disk_stops']} times without progress: a quota, or a full "
        f"folder for temporary files? Make room, then: loradeck tasks resume {task.id}"
    )
    return task.moved(Status.PAUSED, words, **live | {"disk_stops": 0})


def _interrupted(task: TaskRecord, saved: int, gone: Exit, live: dict[str, float]) -> TaskRecord:
    """Queue a task again whose worker was lost, unless that happens again and again."""
    count = live["interruptions"]
    if count > MOST_INTERRUPTIONS:
        return task.moved(
            Status.FAILED,
            f"Interrupted {count} times without progress ({gone.cause}). {_kept(saved)} "
            f"See: loradeck tasks logs {task.id}",
            **live,
        )
    words = f"Interrupted ({gone.cause}); goes on from step {saved}."
    return task.moved(Status.PENDING, words, **live)


def _kept(saved: int) -> str:
    """Say what is left of a task that failed."""
    return f"Its checkpoint of step {saved} is kept." if saved else "It had saved nothing yet."


def _saved_words(tested: StopTested | None) -> str:
    """Say that the adapter is there, and whether it ends its answers."""
    if tested is None or tested.ended == tested.asked:
        return "Adapter saved."
    return (
        f"Adapter saved; only {tested.ended} of {tested.asked} answers ended by themselves: "
        "train longer, or look whether the rows' answers are cut off."
    )
