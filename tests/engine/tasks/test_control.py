"""What a user can do with tasks, and what the scheduler makes of it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import ConflictError
from engine.language import speaking
from engine.tasks.events import (
    CheckpointSaved,
    TaskCompleted,
    TaskFailed,
    TaskStarted,
    TaskStopped,
)
from engine.tasks.record import Status
from engine.train.worker import DISK_FULL
from tests.engine.tasks.bench import CPU, Bench, until
from tests.engine.tasks.make import step
from tests.loud import let_chinese_be_loud

if TYPE_CHECKING:
    from engine.tasks.record import TaskRecord


def _running(bench: Bench, name: str = "first") -> TaskRecord:
    """Have a task run, with a checkpoint of its fourth step."""
    task = bench.add(name)
    bench.scheduler.admit()
    bench.journal(task, step(4), CheckpointSaved(step=4, path=""))
    return bench.store.get(task.id)


async def test_a_paused_task_frees_its_place_and_goes_on_when_it_is_resumed(bench: Bench) -> None:
    task, other = _running(bench), bench.add("second")
    assert bench.control.pause(task).requested == "pause"
    bench.journal(task, step(5), CheckpointSaved(step=5, path=""), TaskStopped(step=5))
    bench.pool.given[0].on_exit(0)
    paused = bench.store.get(task.id)
    assert (paused.status, paused.message) == (Status.PAUSED, "Paused at step 5.")
    assert (paused.requested, paused.resume_step) == ("", 5)
    assert bench.status(other) is Status.RUNNING
    assert bench.control.resume(paused).status is Status.PENDING
    bench.journal(other, TaskCompleted(seconds=1, train_loss=0.5, peak_memory=1))
    bench.pool.given[1].on_exit(0)
    assert bench.status(task) is Status.RUNNING


async def test_a_worker_that_is_slow_to_pause_is_not_killed(bench: Bench, hold_lock: Any) -> None:
    task = _running(bench)
    worker = hold_lock(task)
    worker.send_signal(signal.SIGSTOP)
    bench.control.pause(task)
    jobs = list(bench.scheduler._jobs)
    assert not jobs  # nobody waits to kill it
    assert worker.poll() is None


async def test_a_pause_that_is_taken_back_loses_nothing(bench: Bench) -> None:
    task = _running(bench)
    bench.control.pause(task)
    assert bench.control.resume(bench.store.get(task.id)).requested == ""
    bench.journal(task, TaskStopped(step=4))
    bench.pool.given[0].on_exit(0)
    assert bench.status(task) is Status.RUNNING
    assert len(bench.pool.given) == 2


async def test_a_pause_is_asked_for_again_by_the_next_server(bench: Bench, hold_lock: Any) -> None:
    task = bench.add("first", status=Status.RUNNING, requested="pause")
    worker = hold_lock(task)
    bench.another().tick()
    await until(lambda: worker.poll() is not None)
    assert worker.returncode == -signal.SIGTERM
    await until(lambda: bench.status(task) is Status.PAUSED)


async def test_a_pending_task_is_held_back(bench: Bench) -> None:
    _running(bench)
    waiting, last = bench.add("second"), bench.add("third")
    assert bench.control.pause(waiting).status is Status.PAUSED
    bench.pool.given[0].on_exit(1)  # goes on: interrupted
    bench.control.cancel(bench.store.get(bench.store.find("first").id), keep=True)
    bench.pool.given[1].on_exit(0)
    assert (bench.status(waiting), bench.status(last)) == (Status.PAUSED, Status.RUNNING)


async def test_a_finished_task_keeps_its_result(bench: Bench, hold_lock: Any) -> None:
    task = _running(bench)
    worker = hold_lock(task)
    assert bench.control.finish(task).requested == "finish"
    await until(lambda: worker.poll() is not None)
    assert worker.returncode == -signal.SIGUSR1
    bench.pool.given[0].on_exit(-9)  # killed before it was done
    spec = bench.pool.given[1].spec
    assert spec
    assert spec.finish
    bench.journal(task, TaskCompleted(seconds=1, train_loss=0.5, peak_memory=1))
    bench.pool.given[1].on_exit(0)
    ended = bench.store.get(task.id)
    assert (ended.status, ended.requested) == (Status.COMPLETED, "")
    with pytest.raises(ConflictError, match="completed already"):
        bench.control.finish(ended)


async def test_nothing_learned_cannot_be_finished(bench: Bench) -> None:
    task = bench.add("first")
    with pytest.raises(ConflictError, match="has not trained a step"):
        bench.control.finish(task)


async def test_a_paused_task_is_finished_from_its_checkpoint(bench: Bench) -> None:
    task = bench.add("first", status=Status.PAUSED, resume_step=4)
    assert bench.control.finish(task).status is Status.RUNNING
    spec = bench.pool.given[0].spec
    assert spec
    assert spec.finish


@pytest.mark.parametrize("keep", [True, False])
async def test_cancelling_keeps_or_drops_the_checkpoints(bench: Bench, *, keep: bool) -> None:
    task = _running(bench)
    checkpoints = bench.home.task(task.id) / "checkpoints"
    checkpoints.mkdir()
    bench.control.cancel(task, keep=keep)
    bench.pool.given[0].on_exit(-9)
    cancelled = bench.store.get(task.id)
    assert cancelled.status is Status.CANCELLED
    await until(lambda: not bench.scheduler._jobs)
    assert checkpoints.exists() is keep
    assert ("is kept" in cancelled.message) is keep
    assert bench.control.resume(cancelled).status is Status.RUNNING
    with pytest.raises(ConflictError):
        bench.control.resume(bench.store.get(task.id))


async def test_a_cancelled_pending_task_drops_its_checkpoints_too(bench: Bench) -> None:
    task = bench.add("first", status=Status.PAUSED)
    (folder := bench.home.task(task.id) / "checkpoints").mkdir()
    bench.control.cancel(task, keep=False)
    await until(lambda: not folder.exists())
    assert bench.status(task) is Status.CANCELLED


@pytest.mark.parametrize("how", ["told", "exit code", "unwatched"])
async def test_a_full_disk_pauses_until_there_is_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    task = _running(bench)
    free = 0
    monkeypatch.setattr("engine.tasks.admission.Admission.disk_free", property(lambda _: free))
    if how == "told":
        bench.journal(task, TaskStopped(step=4, disk_full=True))
    if how == "unwatched":
        bench.another().tick()
    else:
        bench.pool.given[0].on_exit(DISK_FULL if how == "exit code" else 0)
    paused = bench.store.get(task.id)
    assert (paused.status, paused.waits_for_disk) == (Status.PAUSED, True)
    assert "disk is full" in paused.message
    assert paused.interruptions == 0
    bench.scheduler.tick()
    assert bench.status(task) is Status.PAUSED
    free = 10**12
    bench.scheduler.tick()
    assert bench.status(task) is Status.RUNNING


async def test_a_task_that_waits_for_the_disk_can_be_paused_for_good(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = bench.add("first", status=Status.PAUSED, waits_for_disk=True)
    bench.control.pause(task)
    monkeypatch.setattr("engine.tasks.admission.Admission.disk_free", 10**12)
    bench.scheduler.tick()
    assert bench.status(task) is Status.PAUSED


async def test_what_waits_says_for_what(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    task, other = bench.add("first"), bench.add("second")
    bench.cpu = CPU.model_copy(update={"memory_free": 100})
    bench.scheduler.tick()
    assert bench.store.get(task.id).message == "Waits until 600 B are free on CPU."
    assert not bench.store.get(other.id).message
    with monkeypatch.context() as full:
        full.setattr("engine.tasks.admission.Admission.disk_free", 0)
        bench.scheduler.tick()
    assert "The disk is full" in bench.store.get(task.id).message
    bench.cpu = CPU
    bench.scheduler.tick()
    started = bench.store.get(task.id)
    assert (started.status, started.message) == (Status.RUNNING, "")


async def test_higher_priority_first_then_the_place(bench: Bench) -> None:
    running = _running(bench)
    low, _, third, high = (bench.add(name) for name in ("low", "second", "third", "high"))
    bench.control.prioritize(low, -5)
    bench.control.prioritize(high, 5)
    bench.control.move(third, "up")
    started = []
    for _ in range(4):
        bench.control.cancel(running, keep=True)
        bench.pool.given[-1].on_exit(-9)
        running = next(one for one in bench.store.all() if one.status is Status.RUNNING)
        started.append(running.task_name)
    assert started == ["high", "third", "second", "low"]


async def test_started_now_goes_before_all_others_and_beside_those_that_run(bench: Bench) -> None:
    bench.cpu = CPU.model_copy(update={"memory_free": 1300})
    _running(bench)
    bench.add("second")
    third = bench.add("third")
    bench.scheduler.admit()
    assert bench.status(third) is Status.PENDING  # one task at a time on a CPU
    assert bench.control.start(third, anyway=False).status is Status.RUNNING


async def test_what_does_not_fit_is_started_only_anyway(bench: Bench) -> None:
    _running(bench)  # plans to take 600 of 1000
    second = bench.add("second", status=Status.PAUSED)
    with pytest.raises(ConflictError, match="600 B are not free"):
        bench.control.start(second, anyway=False)
    assert bench.status(second) is Status.PAUSED
    assert bench.control.start(second, anyway=True).status is Status.RUNNING


async def test_only_what_waits_can_be_moved(bench: Bench) -> None:
    task = _running(bench)
    with pytest.raises(ConflictError, match="is running"):
        bench.control.move(task, "first")
    with pytest.raises(ConflictError, match="is running"):
        bench.control.prioritize(task, 3)
    with pytest.raises(ConflictError, match="is running"):
        bench.control.start(task, anyway=True)
    assert len(bench.pool.given) == 1


async def test_a_finish_asked_for_while_a_worker_imports_reaches_it(
    bench: Bench, hold_lock: Any
) -> None:
    task = _running(bench)
    bench.control.finish(task)  # no process has the lock yet
    worker = hold_lock(task)
    bench.pool.given[0].on_event(TaskStarted(pid=worker.pid, device="CPU"))
    await until(lambda: worker.poll() is not None)
    assert worker.returncode == -signal.SIGUSR1


async def test_a_grace_that_runs_out_kills_no_later_worker(bench: Bench, hold_lock: Any) -> None:
    task = _running(bench)
    first = hold_lock(task)
    bench.control.cancel(task, keep=True)
    await until(lambda: first.poll() is not None)
    bench.pool.given[0].on_exit(0)
    assert bench.control.resume(bench.store.get(task.id)).status is Status.RUNNING
    second = hold_lock(task)
    await until(lambda: not bench.scheduler._jobs)
    assert second.poll() is None


async def test_a_disk_that_only_seems_to_have_room_is_not_tried_for_ever(bench: Bench) -> None:
    task = _running(bench)
    for _ in range(3):
        bench.journal(task, TaskStarted(pid=1, device="CPU"), TaskStopped(step=4, disk_full=True))
        bench.pool.given[-1].on_exit(0)
        assert bench.store.get(task.id).waits_for_disk
        bench.scheduler.tick()
        assert bench.status(task) is Status.RUNNING
    bench.pool.given[-1].on_exit(DISK_FULL)
    paused = bench.store.get(task.id)
    assert (paused.status, paused.waits_for_disk) == (Status.PAUSED, False)
    assert "4 times without progress" in paused.message


async def test_dropped_checkpoints_are_gone_at_once(bench: Bench) -> None:
    task = bench.add("first", status=Status.PAUSED, resume_step=4)
    folder = bench.home.task(task.id)
    (folder / "checkpoints").mkdir()
    assert bench.control.cancel(task, keep=False).resume_step == 0
    assert not (folder / "checkpoints").exists()
    await until(lambda: not list(folder.glob(".dropped*")))
    with pytest.raises(ConflictError, match="has not trained a step"):
        bench.control.finish(bench.store.get(task.id))


async def test_what_waits_for_a_device_that_is_gone_says_so(bench: Bench) -> None:
    task = bench.add("first")
    bench.cpu = CPU.model_copy(update={"name": "another CPU"})
    bench.scheduler.tick()
    words = "Waits for CPU, which this machine does not have now."
    assert bench.store.get(task.id).message == words


async def test_the_cause_of_an_interruption_stays_beside_what_is_waited_for(bench: Bench) -> None:
    task = _running(bench)
    bench.cpu = CPU.model_copy(update={"memory_free": 100})
    bench.pool.given[0].on_exit(3)
    cause = "Interrupted (its worker ended with code 3); goes on from step 4."
    waiting = f"{cause} Waits until 600 B are free on CPU."
    assert bench.store.get(task.id).message == waiting
    bench.cpu = CPU
    bench.scheduler.tick()
    assert bench.store.get(task.id).message == cause


async def test_what_is_waited_for_is_said_once_in_whatever_language(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_chinese_be_loud(monkeypatch)
    task = bench.add("first", message="Goes on from step 4.")
    bench.cpu = CPU.model_copy(update={"memory_free": 100})
    with speaking("zh_CN"):
        bench.scheduler.tick()
    loud = "Goes on from step 4. WAITS UNTIL 600 B ARE FREE ON CPU."
    assert bench.store.get(task.id).message == loud
    bench.scheduler.tick()
    plain = "Goes on from step 4. Waits until 600 B are free on CPU."
    assert bench.store.get(task.id).message == plain


async def test_a_failed_task_knows_from_which_step_it_can_go_on(bench: Bench) -> None:
    task = _running(bench)
    bench.journal(task, TaskFailed(title="Diverged", message="At step 5."))
    bench.pool.given[0].on_exit(0)
    failed = bench.store.get(task.id)
    assert (failed.status, failed.resume_step) == (Status.FAILED, 4)
    assert bench.control.resume(failed).message == "Goes on from step 4."
