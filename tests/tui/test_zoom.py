"""A window over a training's steps: halved, doubled, moved, and along with the newest step."""

from __future__ import annotations

from screens.zoom import Zoom


def test_all_steps_are_shown_at_first() -> None:
    zoom = Zoom()
    assert zoom.window(1000) == (0, None)
    zoom.pan(1, 1000)
    zoom.by(-1, 1000)
    zoom.by(1, 8)
    assert not zoom.zoomed


def test_near_the_newest_step_the_window_goes_along() -> None:
    zoom = Zoom()
    zoom.by(1, 1000)
    assert zoom.window(1000) == (501, None)
    assert zoom.window(1010) == (511, None)


def test_elsewhere_it_stays_around_its_middle() -> None:
    zoom = Zoom()
    zoom.by(1, 1000)
    zoom.pan(-1, 1000)
    assert zoom.window(1000) == (376, 875)
    zoom.by(1, 1000)
    assert zoom.window(2000) == (501, 750)
    zoom.by(-1, 1000)
    assert zoom.window(1000) == (376, 875)


def test_the_wheel_keeps_the_step_under_it() -> None:
    zoom = Zoom()
    zoom.by(1, 1000, at=0.0)
    assert zoom.window(1000) == (1, 500)
    zoom.by(1, 1000, at=1.0)
    assert zoom.window(1000) == (251, 500)


def test_it_keeps_within_the_steps() -> None:
    zoom = Zoom()
    for _ in range(20):
        zoom.by(1, 1000)
    assert zoom.window(1000) == (993, None)
    for _ in range(1000):
        zoom.pan(-1, 1000)
    assert zoom.window(1000) == (1, 8)
    for _ in range(20):
        zoom.by(-1, 1000)
    assert not zoom.zoomed
