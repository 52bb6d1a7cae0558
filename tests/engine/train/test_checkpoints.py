"""Checkpoints are complete or invisible, and no more of them are kept than asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.train.checkpoints import is_complete, named, newest, prune, written_aside

if TYPE_CHECKING:
    from pathlib import Path


def _write(folder: Path, step: int, content: bytes = b"weights") -> Path:
    """Write a checkpoint."""
    with written_aside(folder, step) as aside:
        made = named(aside, step)
        (made / "deep").mkdir(parents=True)
        (made / "adapter.safetensors").write_bytes(content)
        (made / "deep" / "state.json").write_text("{}", encoding="utf-8")
    return named(folder, step)


def _names(folder: Path) -> list[str]:
    """List what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_checkpoint_appears_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    with written_aside(tmp_path, 5) as aside:
        named(aside, 5).mkdir()
        assert newest(tmp_path) is None
        (named(aside, 5) / "weights").write_bytes(b"1")
        assert not named(tmp_path, 5).exists()
    assert newest(tmp_path) == tmp_path / "checkpoint-5"
    assert _names(tmp_path) == ["checkpoint-5"]


def test_one_that_could_not_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    _write(tmp_path, 5)
    with pytest.raises(FileNotFoundError), written_aside(tmp_path, 10) as aside:
        (named(aside, 10) / "no folder yet").write_bytes(b"weights")
    assert _names(tmp_path) == ["checkpoint-5"]
    assert newest(tmp_path) == tmp_path / "checkpoint-5"


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "no manifest", "bad manifest", "empty"])
def test_a_damaged_one_is_passed_over_and_written_anew(tmp_path: Path, damage: str) -> None:
    _write(tmp_path, 5)
    checkpoint = _write(tmp_path, 10)
    weights, manifest = checkpoint / "adapter.safetensors", checkpoint / "manifest.json"
    match damage:
        case "flip":
            weights.write_bytes(b"weighty")
        case "cut":
            weights.write_bytes(b"weig")
        case "gone":
            (checkpoint / "deep" / "state.json").unlink()
        case "no manifest":
            manifest.unlink()
        case "bad manifest":
            manifest.write_text('{"adapter.safetensors": 7}', encoding="utf-8")
        case "empty":
            manifest.write_text("{}", encoding="utf-8")
    assert not is_complete(checkpoint)
    assert newest(tmp_path) == tmp_path / "checkpoint-5"
    _write(tmp_path, 10, b"again")
    assert newest(tmp_path) == checkpoint
    assert weights.read_bytes() == b"again"


def test_the_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    for step in (5, 10, 15, 20, 100):
        _write(tmp_path, step)
    prune(tmp_path, 2, 100, best_step=10)
    assert _names(tmp_path) == ["checkpoint-10", "checkpoint-100", "checkpoint-20"]
    prune(tmp_path, 1, 100, best_step=None)
    assert _names(tmp_path) == ["checkpoint-100"]


def test_damaged_ones_of_later_steps_do_not_push_out_what_is_written(tmp_path: Path) -> None:
    for step in (5, 10, 15, 20):
        _write(tmp_path, step)
    for damaged in (15, 20):
        (named(tmp_path, damaged) / "manifest.json").unlink()
    for step in (11, 12):  # the run went on from 10
        _write(tmp_path, step)
        prune(tmp_path, 2, step, best_step=5)
        assert newest(tmp_path) == named(tmp_path, step)
    assert _names(tmp_path) == ["checkpoint-11", "checkpoint-12", "checkpoint-5"]
