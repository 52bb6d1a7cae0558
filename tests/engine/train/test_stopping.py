"""Runs that end before their last step: asked to, or for want of room on the disk."""

from __future__ import annotations

import errno
import json
import shutil
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file

from engine.errors import LoraDeckError
from engine.files import is_disk_full
from engine.models.adapters import copy_adapter
from engine.tasks.events import (
    BestKept,
    Evaluated,
    StepLogged,
    StoppedEarly,
    TaskCompleted,
    TaskStarted,
    TaskStopped,
)
from engine.train import deck_trainer, encoding, room
from engine.train.checkpoints import named, newest, step_of
from engine.train.trainer import train
from tests.engine.train.runs import SETTINGS, Kept, plan_of, spec_of, write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from engine.tasks.events import Event
    from engine.train.spec import TaskSpec

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.fixture
def spec(model: Path, tmp_path: Path) -> TaskSpec:
    """A task of sixteen steps."""
    rows = write_rows(tmp_path / "rows.jsonl", 40)
    return spec_of(plan_of(rows, model, **SETTINGS), tmp_path)


def _at(step: int) -> object:
    """Tell the event of a step."""
    return lambda event: isinstance(event, StepLogged) and event.step == step


def _weights(spec: TaskSpec) -> dict[str, torch.Tensor]:
    """Read the finished adapter."""
    return load_file(spec.output / "adapter_model.safetensors")


def test_a_run_asked_to_finish_keeps_the_best_of_what_it_has_learned(spec: TaskSpec) -> None:
    kept = Kept(finish_when=lambda event: isinstance(event, StepLogged) and event.step == 7)
    train(spec, kept)
    assert kept.of(StoppedEarly) == [kept.of(StoppedEarly)[0].model_copy(update={"asked": True})]
    assert kept.of(StepLogged)[-1].step == 8
    assert [one.step for one in kept.of(Evaluated)] == [5, 8]
    (best,) = kept.of(BestKept)
    assert kept.of(TaskCompleted)
    saved = load_file(named(spec.checkpoints, best.step) / "adapter_model.safetensors")
    assert all(torch.equal(weight, saved[name]) for name, weight in _weights(spec).items())


def test_a_finish_that_was_cut_off_is_made_up_for(spec: TaskSpec) -> None:
    train(spec, Kept(lambda event: isinstance(event, StepLogged) and event.step == 7))
    again = Kept()
    train(spec.model_copy(update={"finish": True}), again)
    assert not again.of(StepLogged)
    assert again.of(StoppedEarly)[0].step == 8
    assert again.of(TaskCompleted)


def test_a_run_stops_while_there_is_room_for_a_checkpoint(
    spec: TaskSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter([10**9] * 7 + [10**8] * 100)
    monkeypatch.setattr(room.Room, "_free", lambda _: next(free))
    kept = Kept()
    train(spec.model_copy(update={"disk_reserve": 5 * 10**8}), kept)
    (stopped,) = kept.of(TaskStopped)
    assert stopped.disk_full
    assert stopped.step == kept.of(StepLogged)[-1].step == 8
    again = Kept()
    train(spec, again)
    assert again.of(TaskStarted)[0].resumed_from == 8
    assert again.of(TaskCompleted)


def test_rows_are_encoded_while_there_is_room(
    spec: TaskSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "_BATCH", 10)
    free = iter([10**9, 10**8])
    monkeypatch.setattr(room.Room, "_free", lambda _: next(free))
    left = (spec.partial, spec.checkpoints / ".writing")
    for folder in left:
        folder.mkdir(parents=True)
    kept = Kept()
    train(spec.model_copy(update={"disk_reserve": 5 * 10**8}), kept)
    assert [(one.disk_full, one.step) for one in kept.of(TaskStopped)] == [(True, 0)]
    assert not list(spec.cache.iterdir())
    assert not any(folder.exists() for folder in left)


def test_a_checkpoint_that_does_not_fit_loses_none_before_it(
    spec: TaskSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Kept()
    train(spec, whole)
    expected = _weights(spec)
    shutil.rmtree(spec.output)
    shutil.rmtree(spec.checkpoints)

    def full(this: deck_trainer.DeckTrainer, *_: object) -> None:
        if this.state.global_step == 10:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(deck_trainer.DeckTrainer, "_save_scaler", full)
    kept = Kept()
    train(spec, kept)
    assert [(one.disk_full, one.step) for one in kept.of(TaskStopped)] == [(True, 5)]
    found = newest(spec.checkpoints)
    assert found
    assert step_of(found) == 5
    assert not (spec.checkpoints / ".writing").exists()
    monkeypatch.undo()
    train(spec, Kept())
    assert all(torch.equal(weight, expected[name]) for name, weight in _weights(spec).items())


def test_a_damaged_best_checkpoint_is_not_handed_out(spec: TaskSpec) -> None:
    def stop(event: Event) -> bool:
        return isinstance(event, StepLogged) and event.step == 11

    train(spec, Kept(stop))
    whole = spec.model_copy(update={"output": spec.output.with_name("whole")})
    shutil.copytree(spec.checkpoints, spec.folder / "kept")
    train(whole, Kept())
    shutil.rmtree(spec.checkpoints)
    (spec.folder / "kept").rename(spec.checkpoints)
    damaged = named(spec.checkpoints, 10) / "adapter_model.safetensors"
    damaged.write_bytes(b"\0" * damaged.stat().st_size)
    again = Kept()
    train(spec, again)
    assert again.of(TaskStarted)[0].resumed_from == 12
    assert again.of(BestKept)[0].step == 16


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"), True),
        (ValueError("I/O error: No space left on device (os error 28)"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (RuntimeError("CUDA out of memory"), False),
    ],
)
def test_a_full_disk_is_told_from_other_faults(error: Exception, full: bool) -> None:
    assert is_disk_full(error) is full
    outer = RuntimeError("while saving")
    outer.__cause__ = error
    assert is_disk_full(outer) is full


def test_a_run_that_starts_from_an_adapter_goes_on_from_what_it_knows(
    spec: TaskSpec, tmp_path: Path
) -> None:
    first = Kept()
    train(spec, first)
    folder = tmp_path / "more"
    further = spec.model_copy(
        update={
            "folder": folder,
            "output": tmp_path / "further",
            "plan": spec.plan.model_copy(update={"adapter": str(spec.output)}),
        }
    )
    folder.mkdir()
    copy_adapter(spec.output, folder / "start")
    second = Kept(lambda event: isinstance(event, StepLogged) and event.step == 3)
    train(further, second)
    assert second.of(StepLogged)[0].loss < first.of(StepLogged)[0].loss
    third = Kept()
    train(further, third)  # from its own checkpoint now
    assert third.of(TaskStarted)[0].resumed_from == 4
    assert third.of(StepLogged)[-1].loss < first.of(StepLogged)[-1].loss
    card = (further.output / "README.md").read_text(encoding="utf-8")
    assert "starting from the adapter adapter" in card


def test_an_adapter_of_another_model_is_refused_with_words(spec: TaskSpec, tmp_path: Path) -> None:
    train(spec, Kept())
    rank = spec.plan.training_params.model_copy(update={"lora_rank": 4})
    plan = spec.plan.model_copy(update={"adapter": str(spec.output), "training_params": rank})
    folder = tmp_path / "more"
    folder.mkdir()
    copy_adapter(spec.output, folder / "start")
    with pytest.raises(LoraDeckError, match="do not fit this base model"):
        train(spec.model_copy(update={"folder": folder, "plan": plan}), Kept())


@pytest.mark.parametrize("left", [None, b"weights"])
def test_a_start_adapter_that_is_gone_or_damaged_is_refused_with_words(
    spec: TaskSpec, left: bytes | None
) -> None:
    plan = spec.plan.model_copy(update={"adapter": "/adapters/bot"})
    if left:
        start = spec.folder / "start"
        start.mkdir()
        config = {"peft_type": "LORA", "r": 8, "target_modules": ["q_proj"]}
        (start / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
        (start / "adapter_model.safetensors").write_bytes(left)
    with pytest.raises(LoraDeckError, match="missing or damaged"):
        train(spec.model_copy(update={"plan": plan}), Kept())


def test_a_foreign_output_folder_is_told_before_anything_is_trained(spec: TaskSpec) -> None:
    spec.output.mkdir()
    kept = Kept()
    with pytest.raises(LoraDeckError, match="appeared while the task was") as raised:
        train(spec, kept)
    assert raised.value.title == "Adapter folder taken"
    assert [type(one) for one in kept.events] == [TaskStarted]


def test_what_an_attempt_at_saving_left_is_in_nobodys_way(spec: TaskSpec) -> None:
    for folder in (spec.output, spec.output.with_name(".old-a")):
        folder.mkdir()
        (folder / "loradeck.json").write_text('{"task_id": "a"}', encoding="utf-8")
    kept = Kept(finish_when=lambda _: True)
    train(spec, kept)
    assert kept.of(TaskCompleted)
    assert _weights(spec)
    assert not spec.output.with_name(".old-a").exists()
