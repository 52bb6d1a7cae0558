"""The adapter that a training starts from is found by whole names first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from engine.errors import ConflictError, NotFoundError
from engine.server.further import find_further
from engine.tasks.store import TaskStore
from tests.engine.tasks.make import record

if TYPE_CHECKING:
    from pathlib import Path

    from engine.home import Home


def _adapter(folder: Path) -> Path:
    """Write an adapter's folder."""
    folder.mkdir(parents=True)
    config = {
        "peft_type": "LORA",
        "base_model_name_or_path": "org/base",
        "r": 8,
        "lora_alpha": 16,
        "target_modules": ["q_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return folder


def test_an_adapters_name_goes_before_the_beginning_of_an_id(home: Home) -> None:
    store = TaskStore(home)
    task = record(task_name="waiting")
    home.task(task.id).mkdir()
    store.put(task)
    with pytest.raises(ConflictError):  # the beginning of an id names the task
        find_further(home, store, task.id[:4])
    folder = _adapter(home.adapter(task.id[:4]))
    assert find_further(home, store, task.id[:4]).folder == folder
    _adapter(home.adapter("waiting"))
    for whole in ("waiting", task.id):
        with pytest.raises(ConflictError, match="has made no adapter"):
            find_further(home, store, whole)


@pytest.mark.parametrize("name", [".partial-abc", "a" * 300])
def test_what_is_half_written_or_no_name_on_a_disk_is_no_adapter(home: Home, name: str) -> None:
    _adapter(home.partial_adapter("abc"))
    with pytest.raises(NotFoundError, match="no adapter"):
        find_further(home, TaskStore(home), name)
