"""Adapters that can be trained further are told from those that cannot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import LoraDeckError, NotFoundError
from engine.models import adapters
from engine.models.adapters import copy_adapter, is_made_by, read_adapter

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = {
    "peft_type": "LORA",
    "base_model_name_or_path": "org/base",
    "r": 8,
    "lora_alpha": 16,
    "target_modules": ["q_proj", "v_proj", "down_proj"],
    "bias": "none",
}


def _adapter(folder: Path, **changes: Any) -> Path:
    """Write an adapter's folder."""
    folder.mkdir()
    written = json.dumps({**CONFIG, **changes})
    (folder / "adapter_config.json").write_text(written, encoding="utf-8")
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return folder


def test_what_an_adapter_fixes(tmp_path: Path) -> None:
    found = read_adapter(_adapter(tmp_path / "bot"))
    assert found.base == "org/base"
    assert found.params() == {"lora_rank": 8, "lora_alpha": 16, "target_modules": "all-linear"}
    attention = read_adapter(_adapter(tmp_path / "two", target_modules=["q_proj", "v_proj"]))
    assert attention.params()["target_modules"] == "attention"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"peft_type": "IA3"}, "of the kind IA3"),
        ({"use_dora": True}, "use_dora"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"rank_pattern": {"q_proj": 4}}, "rank_pattern"),
        ({"bias": "all"}, "bias"),
        ({"r": 0}, "damaged"),
        ({"lora_alpha": 0.5}, "damaged"),
        ({"lora_alpha": 16.5}, "damaged"),
        ({"base_model_name_or_path": None}, "damaged"),
    ],
)
def test_what_is_no_plain_lora_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(LoraDeckError, match=words):
        read_adapter(_adapter(tmp_path / "bot", **changes))


def test_one_that_is_not_there_or_has_a_pickle_alone(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_adapter(tmp_path / "none")
    pickled = _adapter(tmp_path / "bot")
    (pickled / "adapter_model.safetensors").rename(pickled / "adapter_model.bin")
    with pytest.raises(NotFoundError, match="safetensors"):
        read_adapter(pickled)


def test_no_more_is_copied_than_is_needed_and_that_durably(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(adapters, "sync_tree", synced.append)
    folder = _adapter(tmp_path / "bot")
    (folder / "README.md").write_text("a card", encoding="utf-8")
    copy_adapter(folder, tmp_path / "start")
    assert sorted(path.name for path in (tmp_path / "start").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert synced == [tmp_path / "start"]


@pytest.mark.parametrize(
    ("written", "ours"),
    [('{"task_id": "a"}', True), ('{"task_id": "b"}', False), ("[]", False), ("{", False)],
)
def test_whose_an_adapter_is(tmp_path: Path, written: str, ours: bool) -> None:
    folder = _adapter(tmp_path / "bot")
    assert not is_made_by(folder, "a")
    (folder / "loradeck.json").write_text(written, encoding="utf-8")
    assert is_made_by(folder, "a") is ours
