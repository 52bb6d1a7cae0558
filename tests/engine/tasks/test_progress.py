"""What events add up to: the figures that every screen shows."""

from __future__ import annotations

import pytest

from engine.tasks.causes import Exit
from engine.tasks.endings import ended
from engine.tasks.events import (
    BestKept,
    CheckpointSaved,
    Evaluated,
    MemoryProbed,
    PhaseEntered,
    RolledBack,
    RowsEncoded,
    SampleAnswered,
    TaskCompleted,
    TaskFailed,
    TaskStarted,
)
from engine.tasks.progress import Progress
from engine.tasks.record import Status
from engine.tasks.view import SPARK_POINTS
from tests.engine.tasks.make import record, step


def _running(*seconds: float, of: int = 10) -> Progress:
    """A run whose steps took so many seconds each."""
    progress = Progress()
    progress.apply(TaskStarted(pid=1, device="CPU"))
    progress.apply(PhaseEntered(phase="training"))
    for number, taken in enumerate(seconds, 1):
        progress.apply(step(number, of=of, loss=3.0 - number / 10, seconds=taken))
    return progress


def test_view_of_a_run_in_the_middle() -> None:
    view = _running(9.0, 9.0, 2.0, 2.0).view(record(status=Status.RUNNING))
    assert (view.step, view.max_steps, view.phase, view.device) == (4, 10, "training", "CPU")
    assert view.loss == pytest.approx(2.6)
    assert view.losses == pytest.approx((2.9, 2.8, 2.7, 2.6))
    assert view.task.progress == 40.0
    assert view.task.current_epoch == pytest.approx(0.8)


def test_a_task_without_a_worker_has_neither_phase_nor_time_left() -> None:
    run = _running(9.0, 9.0, 2.0, 2.0)  # killed: nothing in the journal says that it ended
    for status in (Status.PENDING, Status.PAUSED):
        view = run.view(record(status=status))
        assert (view.step, view.task.progress) == (4, 40.0)
        assert (view.phase, view.seconds_left) == ("", None)


def test_time_left_ignores_the_first_steps() -> None:
    task = record(status=Status.RUNNING)
    assert _running(30.0, 30.0).view(task).seconds_left is None
    assert _running(30.0, 30.0, 2.0, 5.0, 2.0).view(task).seconds_left == pytest.approx(15.0)
    assert _running(30.0, 30.0, 2.0).view(task).tokens_per_second == pytest.approx(50.0)


def test_time_left_has_a_spread_once_there_are_steps_enough() -> None:
    task = record(status=Status.RUNNING)
    assert _running(9.0, 9.0, 2.0, 2.0, 4.0).view(task).seconds_left_range is None
    view = _running(9.0, 9.0, 2.0, 2.0, 4.0, 4.0).view(task)
    assert view.seconds_left == pytest.approx(12.0)
    assert view.seconds_left_range == pytest.approx((8.0, 16.0))


def test_the_spread_holds_the_time_left() -> None:
    view = _running(9.0, 9.0, 2.0, 2.0, 2.0, 2.0, 2.0, 30.0).view(record(status=Status.RUNNING))
    assert view.seconds_left is not None
    assert view.seconds_left_range is not None
    low, high = view.seconds_left_range
    assert low <= view.seconds_left <= high


def test_the_loss_on_held_out_rows_is_the_last_or_that_of_the_checkpoint_kept() -> None:
    progress = _running(2.0)
    assert progress.view(record(status=Status.RUNNING)).task.eval_loss is None
    for at, loss in ((4, 1.1), (8, 1.3)):
        progress.apply(Evaluated(step=at, eval_loss=loss))
        assert progress.view(record(status=Status.RUNNING)).task.eval_loss == loss
    progress.apply(BestKept(step=4, eval_loss=1.1))
    done = ended(record(status=Status.RUNNING), progress, Exit(0), disk_full=False)
    assert done.eval_loss == 1.1


def test_time_left_counts_the_evaluations_to_come() -> None:
    task, progress = record(status=Status.RUNNING), _running(9.0, 9.0, 2.0)
    progress.apply(step(4, seconds=2.0).model_copy(update={"eval_tokens_left": 300}))
    assert progress.view(task).seconds_left == pytest.approx(6 * 2.0 + 2.0)
    progress.apply(Evaluated(step=4, eval_loss=1.0, tokens=100, seconds=5.0))
    assert progress.view(task).seconds_left == pytest.approx(6 * 2.0 + 15.0)
    assert progress.pace() == pytest.approx((0.02, 0.05))


def test_a_sample_takes_no_time_of_a_step() -> None:
    progress = _running(1.0, 1.0, 1.0)
    ended = 1000.0
    progress.apply(step(4, seconds=1.0).model_copy(update={"time": ended}))
    before = progress.pace()
    progress.apply(SampleAnswered(step=5, epoch=0.5, question="q", answer="a", seconds=30.0))
    progress.apply(step(5, seconds=1.0).model_copy(update={"time": ended + 31.0}))
    assert progress.pace() == pytest.approx(before, nan_ok=True)


def test_roll_back_forgets_the_steps_that_are_made_again() -> None:
    progress = _running(1.0, 1.0, 1.0, 1.0)
    progress.apply(RolledBack(step=4, to_step=2, row=7, learning_rate=1e-4))
    view = progress.view(record(status=Status.RUNNING))
    assert (view.step, len(view.losses), view.seconds_left) == (2, 2, None)


def test_memory_is_told_once_it_was_probed() -> None:
    progress = _running(1.0)
    progress.apply(
        MemoryProbed(tokens=512, trained=256, predicted=20, measured=22, fixed=5, free=99)
    )
    view = progress.view(record(status=Status.RUNNING))
    assert (view.memory_predicted, view.memory_measured) == (20, 22)


def test_next_attempt_starts_from_its_checkpoint() -> None:
    progress = _running(1.0, 1.0, 1.0, 1.0)
    progress.apply(CheckpointSaved(step=3, path="x"))
    progress.apply(TaskStarted(pid=2, device="CPU", resumed_from=3))
    view = progress.view(record(status=Status.RUNNING))
    assert (view.step, view.seconds_left, progress.checkpoint) == (3, None, 3)


def test_outcome_is_the_last_attempts() -> None:
    progress = _running(1.0)
    progress.apply(TaskFailed(title="t", message="m"))
    assert isinstance(progress.outcome, TaskFailed)
    progress.apply(TaskStarted(pid=2, device="CPU"))
    assert progress.outcome is None
    progress.apply(TaskCompleted(seconds=1, train_loss=0.5, peak_memory=1))
    assert isinstance(progress.outcome, TaskCompleted)


def test_sparkline_is_bounded() -> None:
    view = _running(*[1.0] * (SPARK_POINTS + 40), of=1000).view(record(status=Status.RUNNING))
    assert len(view.losses) == SPARK_POINTS


def test_rows_are_counted_while_the_dataset_is_prepared_and_only_then() -> None:
    progress = Progress()
    progress.apply(PhaseEntered(phase="preparing"))
    progress.apply(RowsEncoded(rows=3_000, of=9_000))
    assert progress.view(record(status=Status.RUNNING)).rows_encoded == 3_000
    progress.apply(PhaseEntered(phase="loading"))
    assert progress.view(record(status=Status.RUNNING)).rows_encoded == 0
