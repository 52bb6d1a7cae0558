"""How far a pull is, and how long it still takes at its speed so far."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from engine.server import pulls
from engine.server.pulls import Far

if TYPE_CHECKING:
    import pytest


def test_time_left_follows_the_speed_of_each_state(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(pulls, "time", SimpleNamespace(monotonic=lambda: now))
    far = Far("downloading").at("downloading", None)
    assert far.seconds_left is None
    far = far.at("downloading", 0.2)  # what an earlier fetch left took no time
    assert far.seconds_left is None
    now = 110.0
    far = far.at("downloading", 0.4)
    assert far.seconds_left == 30.0
    far = far.at("converting", 0.0)
    assert (far.state, far.seconds_left) == ("converting", None)
    now = 112.0
    assert far.at("converting", 0.5).seconds_left == 2.0
