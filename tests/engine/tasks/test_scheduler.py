"""The scheduler: one task at a time, every end of a worker settled, running workers adopted."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import ConflictError
from engine.plan.parameters import TrainingParams
from engine.plan.types import Memory, Plan
from engine.tasks.events import (
    CheckpointSaved,
    StopTested,
    TaskCompleted,
    TaskFailed,
    TaskStarted,
    TaskStopped,
)
from engine.tasks.record import Status
from engine.train.adjustments import Adjustments
from tests.engine.tasks.bench import Bench, until
from tests.engine.tasks.make import step


@pytest.mark.parametrize(("ended", "words"), [(4, "Adapter saved."), (1, "only 1 of 4 answers")])
async def test_an_adapter_that_does_not_stop_is_told(bench: Bench, ended: int, words: str) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    bench.journal(
        task,
        StopTested(asked=4, ended=ended, limit=64),
        TaskCompleted(seconds=1, train_loss=0.5, peak_memory=1),
    )
    bench.pool.given[0].on_exit(0)
    assert words in bench.store.get(task.id).message


async def test_worker_that_is_killed_twice_at_one_place_goes_on_in_smaller_passes(
    bench: Bench,
) -> None:
    task = bench.add("first")
    folder = bench.home.task(task.id)
    bench.scheduler.admit()
    bench.pool.given[0].on_exit(-signal.SIGKILL)
    assert Adjustments.load(folder).killed == 0
    bench.pool.given[1].on_exit(-signal.SIGKILL)
    assert Adjustments.load(folder).killed == 1
    assert Adjustments.load(folder).budget(1_000, 300) == 500
    bench.pool.given[2].on_exit(-signal.SIGKILL)
    params = Adjustments.load(folder).apply(TrainingParams())
    assert params.gradient_checkpointing


async def test_a_stop_between_two_kills_that_saved_a_checkpoint_is_progress(bench: Bench) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    bench.pool.given[0].on_exit(-signal.SIGKILL)
    bench.journal(task, CheckpointSaved(step=7, path=""), TaskStopped(step=7))
    bench.pool.given[1].on_exit(0)
    bench.journal(task, TaskStarted(pid=1, device="CPU", resumed_from=7))
    bench.pool.given[2].on_exit(-signal.SIGKILL)
    assert bench.store.get(task.id).interruptions == 1
    assert Adjustments.load(bench.home.task(task.id)).killed == 0


async def test_oldest_first_and_one_at_a_time(bench: Bench) -> None:
    first, second = bench.add("first"), bench.add("second")
    bench.scheduler.admit()
    bench.scheduler.admit()
    assert (bench.status(first), bench.status(second)) == (Status.RUNNING, Status.PENDING)
    bench.journal(first, TaskCompleted(seconds=1, train_loss=0.5, peak_memory=1))
    bench.pool.given[0].on_exit(0)
    assert (bench.status(first), bench.status(second)) == (Status.COMPLETED, Status.RUNNING)
    assert bench.store.get(first.id).final_loss == 0.5
    assert bench.store.get(first.id).progress == 100.0
    assert bench.pool.warmed == 1


async def test_task_whose_plan_is_gone_fails_and_the_next_starts(bench: Bench) -> None:
    first, second = bench.add("first"), bench.add("second")
    (bench.home.task(first.id) / "plan.json").unlink()
    bench.scheduler.admit()
    assert (bench.status(first), bench.status(second)) == (Status.FAILED, Status.RUNNING)


async def test_failure_is_told_in_the_workers_words(bench: Bench) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    bench.journal(task, TaskFailed(title="Training diverged", message="At step 3.", hint="Lower."))
    bench.pool.given[0].on_exit(0)
    assert bench.status(task) is Status.FAILED
    assert bench.store.get(task.id).message == "Training diverged: At step 3. Lower."


async def test_lost_worker_is_replaced_and_goes_on_from_its_checkpoint(bench: Bench) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    bench.journal(task, TaskStarted(pid=1, device="CPU"), step(4), CheckpointSaved(step=4, path=""))
    bench.pool.given[0].on_exit(-9)
    assert bench.status(task) is Status.RUNNING
    assert len(bench.pool.given) == 2
    assert bench.store.get(task.id).resume_step == 4


async def test_worker_lost_again_and_again_without_progress_fails(bench: Bench) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    for _ in range(4):
        assert bench.status(task) is Status.RUNNING
        bench.pool.given[-1].on_exit(-9)
    assert bench.status(task) is Status.FAILED
    assert "killed, by hand or for lack of memory" in bench.store.get(task.id).message


async def test_progress_between_losses_is_no_failure(bench: Bench) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    for number in range(1, 8):
        bench.journal(task, CheckpointSaved(step=number, path=""))
        bench.pool.given[-1].on_exit(-9)
        assert bench.status(task) is Status.RUNNING


async def test_pending_task_is_cancelled_at_once(bench: Bench) -> None:
    bench.add("first")
    bench.scheduler.admit()
    second = bench.add("second")
    assert bench.control.cancel(second, keep=True).status is Status.CANCELLED
    with pytest.raises(ConflictError):
        bench.control.cancel(bench.store.get(second.id), keep=True)


async def test_worker_still_importing_is_killed_on_cancel(bench: Bench) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    bench.control.cancel(bench.store.get(task.id), keep=True)
    assert bench.pool.given[0].process.killed
    bench.pool.given[0].on_exit(-9)
    assert bench.status(task) is Status.CANCELLED


async def test_cancelled_worker_gets_time_then_is_killed(bench: Bench, hold_lock: Any) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    deaf = hold_lock(task)
    os.kill(deaf.pid, signal.SIGSTOP)  # takes no SIGTERM
    bench.control.cancel(bench.store.get(task.id), keep=True)
    await until(lambda: deaf.poll() is not None)
    assert deaf.returncode == -signal.SIGKILL
    bench.pool.given[0].on_exit(-9)
    assert bench.status(task) is Status.CANCELLED


async def test_stopped_worker_of_a_cancelled_task(bench: Bench) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    bench.control.cancel(bench.store.get(task.id), keep=True)
    bench.journal(task, step(7), TaskStopped(step=7))
    bench.pool.given[0].on_exit(0)
    ended = bench.store.get(task.id)
    assert (ended.status, ended.message, ended.progress) == (
        Status.CANCELLED,
        "Cancelled at step 7.",
        70.0,
    )


async def test_end_that_could_not_be_stored_is_settled_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    bench.journal(task, TaskCompleted(seconds=1, train_loss=0.5, peak_memory=1))
    with monkeypatch.context() as full:
        full.setattr(bench.store, "put", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            bench.pool.given[0].on_exit(0)
        with pytest.raises(OSError, match="full"):
            bench.scheduler.tick()
    bench.scheduler.tick()
    assert bench.status(task) is Status.COMPLETED


async def test_worker_that_was_asked_to_stop_counts_as_no_interruption(bench: Bench) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    bench.journal(task, step(4), CheckpointSaved(step=4, path=""), TaskStopped(step=4))
    bench.pool.given[0].on_exit(0)
    again = bench.store.get(task.id)
    assert (again.status, again.interruptions, again.resume_step) == (Status.RUNNING, 0, 4)
    assert again.message == "Its worker was asked to stop; goes on from step 4."


async def test_running_task_does_not_say_for_what_it_has_waited(bench: Bench) -> None:
    words = "Waits until 2.1 GB are free on CPU."
    task = bench.add("first", message=words, waiting_words=words, started_at=datetime.now(UTC))
    bench.scheduler.admit()
    assert (bench.status(task), bench.store.get(task.id).message) == (Status.RUNNING, "")


async def test_adopted_worker_of_a_cancelled_task_is_stopped(bench: Bench, hold_lock: Any) -> None:
    task = bench.add("first", status=Status.RUNNING, requested="cancel")
    worker = hold_lock(task)
    bench.another().tick()
    await until(lambda: worker.poll() is not None)
    await until(lambda: bench.status(task) is Status.CANCELLED)


async def test_next_server_adopts_a_worker_that_lives(bench: Bench, hold_lock: Any) -> None:
    task = bench.add("first", status=Status.RUNNING)
    waiting = bench.add("second")
    worker = hold_lock(task)
    bench.another().tick()
    await asyncio.sleep(0)
    assert (bench.status(task), bench.status(waiting)) == (Status.RUNNING, Status.PENDING)
    assert bench.pool.given == []
    bench.journal(task, TaskCompleted(seconds=1, train_loss=0.5, peak_memory=1))
    worker.kill()
    await until(lambda: bench.status(task) is Status.COMPLETED)
    assert bench.status(waiting) is Status.RUNNING


async def test_next_server_resumes_a_task_whose_worker_is_gone(bench: Bench) -> None:
    task = bench.add("first", status=Status.RUNNING)
    bench.journal(task, step(3), CheckpointSaved(step=3, path=""))
    bench.another().tick()
    assert bench.status(task) is Status.RUNNING
    assert len(bench.pool.given) == 1


async def test_next_server_finds_what_ended_unwatched(bench: Bench) -> None:
    task = bench.add("first", status=Status.RUNNING)
    bench.journal(task, TaskCompleted(seconds=1, train_loss=0.5, peak_memory=1))
    bench.another().tick()
    assert bench.status(task) is Status.COMPLETED
    assert bench.pool.given == []


@pytest.mark.parametrize("before", ["stopped", "failed"])
async def test_a_worker_that_never_reports_is_not_taken_for_the_one_before(
    bench: Bench, before: str
) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    last = TaskStopped(step=4) if before == "stopped" else TaskFailed(title="No", message="such.")
    bench.journal(task, TaskStarted(pid=1, device="CPU"), last)
    bench.pool.given[0].on_exit(0)
    if before == "failed":
        bench.control.resume(bench.store.get(task.id))
    for _ in range(4):
        assert bench.status(task) is Status.RUNNING
        bench.pool.given[-1].on_exit(1)  # it cannot even import
    ended = bench.store.get(task.id)
    assert ended.status is Status.FAILED
    assert "ended with code 1" in ended.message


async def test_engines_lost_while_a_worker_imports_are_no_interruptions(bench: Bench) -> None:
    task = bench.add("first")
    bench.scheduler.admit()
    for _ in range(6):
        bench.another().tick()
        assert bench.status(task) is Status.RUNNING
    assert bench.store.get(task.id).interruptions == 0


class _Chat:
    """Holds memory that trainings may have."""

    def __init__(self, held: int, to_come: int = 0) -> None:
        self._held, self._to_come = held, to_come
        self.told: list[str] = []

    def held(self, device: Any) -> int:
        """Give what it holds."""
        return self._held

    def to_come(self, device: Any) -> int:
        """Give what it is still to take."""
        return self._to_come

    def give_way(self, task_name: str) -> None:
        """Remember who could start."""
        self.told.append(task_name)


def _with_plan(bench: Bench, name: str, total: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Add a task whose plan predicts so many bytes."""
    memory = Memory(parts={}, total=total, free=1000)
    plan = Plan.model_construct(
        device=bench.cpu, memory=memory, training_params=TrainingParams(), disk_parts={}
    )
    monkeypatch.setattr("engine.tasks.scheduler.load_plan", lambda _: plan)
    return bench.add(name)


@pytest.mark.parametrize(
    ("held", "total", "wanted"), [(300, 1200, "first"), (100, 1200, ""), (0, 1200, "")]
)
async def test_a_chat_is_told_which_task_could_start_with_its_memory(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, held: int, total: int, wanted: str
) -> None:
    task = _with_plan(bench, "first", total, monkeypatch)
    bench.scheduler.lodger = chat = _Chat(held)
    bench.scheduler.admit()
    assert bench.status(task) is Status.PENDING
    assert chat.told == [wanted]
    bench.scheduler.lodger = None
    bench.cpu = bench.cpu.model_copy(update={"memory_free": 2000})
    bench.scheduler.admit()
    assert bench.status(task) is Status.RUNNING


async def test_what_a_chat_is_still_to_take_is_not_free(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = _with_plan(bench, "first", 800, monkeypatch)
    bench.scheduler.lodger = _Chat(0, to_come=300)
    bench.scheduler.admit()
    assert bench.status(task) is Status.PENDING
    bench.scheduler.lodger = chat = _Chat(0, to_come=100)
    bench.scheduler.admit()
    assert bench.status(task) is Status.RUNNING
    assert chat.told == [""]
