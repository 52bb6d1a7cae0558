"""What a run had to change is kept; a damaged file is as none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from engine.train.adjustments import Adjustments
from engine.train.memory_limit import Shrinker

if TYPE_CHECKING:
    from pathlib import Path


def test_kept_and_read_again(tmp_path: Path) -> None:
    kept = Adjustments(pass_tokens=7, killed=1)
    kept.save(tmp_path)
    assert Adjustments.load(tmp_path) == kept


@pytest.mark.parametrize("content", [b"", b"{", b"\xbd\xff", b'{"killed": "often"}'])
def test_a_damaged_file_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "adjustments.json").write_bytes(content)
    assert Adjustments.load(tmp_path) == Adjustments()


def test_a_halving_after_kills_is_read_again_as_it_was_made(tmp_path: Path) -> None:
    killed = Adjustments(killed=2)
    spec: Any = SimpleNamespace(folder=tmp_path)
    reporter: Any = SimpleNamespace(report=lambda _: None)
    trainer: Any = SimpleNamespace(
        longest_row=100,
        passes=SimpleNamespace(budget=killed.budget(4_000, 100)),
        state=SimpleNamespace(global_step=3),
    )
    Shrinker(spec, reporter, killed)(trainer)
    assert trainer.passes.budget == 500
    assert Adjustments.load(tmp_path).budget(4_000, 100) == 500
