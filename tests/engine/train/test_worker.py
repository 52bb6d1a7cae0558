"""A worker takes up what is to be trained, and nothing twice."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from engine.tasks.events import TaskCompleted
from engine.tasks.journal import JOURNAL, JournalWriter
from engine.train import worker
from engine.train.worker import DISK_FULL, LOG, run_task

if TYPE_CHECKING:
    from pathlib import Path


def test_a_completed_task_is_not_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.train.worker.Requests.listen", lambda _: None)
    writer = JournalWriter(tmp_path)
    writer.append(TaskCompleted(seconds=1, train_loss=0.5, peak_memory=1))
    writer.close()
    before = (tmp_path / JOURNAL).read_bytes()
    spec: Any = SimpleNamespace(folder=tmp_path, finish=False)
    queue: Any = SimpleNamespace(put=None)
    run_task(spec, queue)
    assert (tmp_path / JOURNAL).read_bytes() == before
    assert not (tmp_path / LOG).exists()


@pytest.mark.parametrize("gpu", ["GPU-1f00", ""])
def test_a_worker_sees_its_own_card_or_none(gpu: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"CUDA_VISIBLE_DEVICES": "0,1"}
    monkeypatch.setattr(worker.os, "environ", environment)
    for name in ("os.setsid", "signal.signal", "_import_heavy_modules"):
        monkeypatch.setattr(f"engine.train.worker.{name}", lambda *_: None)
    monkeypatch.setattr(worker.os, "nice", lambda _: 0)
    queue: Any = SimpleNamespace(cancel_join_thread=lambda: None)
    gone: Any = SimpleNamespace(send=lambda _: None, recv=lambda: (_ for _ in ()).throw(EOFError))
    worker.worker_main(gone, queue, gpu)
    assert environment["CUDA_VISIBLE_DEVICES"] == gpu
    assert environment.get("HIP_VISIBLE_DEVICES") == (None if gpu else "")


@pytest.mark.parametrize("made", ["ProcessLock.acquire", "_write_output_to"])
def test_a_disk_too_full_for_lock_or_log_is_told_by_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.train.worker.Requests.listen", lambda _: None)
    monkeypatch.setattr(f"engine.train.worker.{made}", full)
    spec: Any = SimpleNamespace(folder=tmp_path, finish=False)
    queue: Any = SimpleNamespace(put=None)
    with pytest.raises(SystemExit) as ended:
        run_task(spec, queue)
    assert ended.value.code == DISK_FULL
