"""What a run had to change is kept; a damaged file is as none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.train.adjustments import Adjustments

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
