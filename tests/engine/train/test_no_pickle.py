"""No pickle runs: neither one beside a base model's weights nor one put into a checkpoint."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING

import pytest

from engine.tasks.events import StepLogged, TaskCompleted
from engine.train.checkpoints import _seal, newest
from engine.train.trainer import train
from tests.engine.train.runs import Kept, plan_of, spec_of, write_rows
from tests.tiny_llama import make_tiny_llama

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")
LOADED = ("optimizer.pt", "scheduler.pt", "rng_state.pth")
NEVER = ("training_args.bin", "adapter_model.bin")


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self._marker),)


def _put(checkpoint: Path, name: str, content: bytes) -> None:
    """Put a file into a checkpoint and seal it anew, as whoever may write there could."""
    (checkpoint / "manifest.json").unlink(missing_ok=True)
    (checkpoint / name).write_bytes(content)
    _seal(checkpoint)


def test_pickles_are_not_run_when_a_training_is_resumed(tmp_path: Path) -> None:
    model = make_tiny_llama(tmp_path / "tiny")
    marker = tmp_path / "ran"
    trap = pickle.dumps(Trap(marker), protocol=2)  # as torch writes
    (model / "pytorch_model.bin").write_bytes(trap)
    rows = write_rows(tmp_path / "rows.jsonl", 8)
    spec = spec_of(plan_of(rows, model, max_steps=4, save_steps=2, eval_rows=0), tmp_path)
    train(spec, Kept(lambda event: isinstance(event, StepLogged) and event.step == 1))
    checkpoint = newest(spec.checkpoints)
    assert checkpoint is not None
    whole = {name: (checkpoint / name).read_bytes() for name in LOADED}
    for name in NEVER:
        _put(checkpoint, name, trap)
    for name in LOADED:
        _put(checkpoint, name, trap)
        with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
            train(spec, Kept())
        _put(checkpoint, name, whole[name])
    train(spec, kept := Kept())
    assert kept.of(TaskCompleted)
    assert not marker.exists()
    pickle.loads(trap)  # noqa: S301 - the trap works
    assert marker.is_dir()
