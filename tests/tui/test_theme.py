"""The themes: contrast, the terminal's own colours, and what is seen without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.color import Color

from engine.settings import ABOUT
from tests.tui.conftest import LARGE, opened, until
from tests.tui.fake_engine import FakeEngine, running
from tui.theme import THEMES, theme_for, with_greys

if TYPE_CHECKING:
    from pathlib import Path

    from rich.segment import Segment
    from textual.theme import Theme

    from tui.app import LoraDeckApp

GROUNDS = ("background", "surface", "panel")
WORDS = ("foreground", "muted", "primary", "accent", "success", "warning", "error", "text-primary",
         "text-success", "text-warning", "text-error", "footer-description-foreground",
         "footer-key-foreground")  # fmt: skip


def luminance(color: Color) -> float:
    """Give a colour's relative luminance, by WCAG 2."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
              for part in color.normalized]  # fmt: skip
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colours, by WCAG 2: from 1 to 21."""
    dark, light = sorted(luminance(Color.parse(color)) for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [theme for theme in THEMES if not theme.ansi],
                         ids=lambda theme: theme.name)  # fmt: skip
def test_words_stand_out(theme: Theme) -> None:
    colours = with_greys(theme.to_color_system().generate() | theme.variables)
    least = 7.0 if "contrast" in theme.name else 4.5
    poor = {
        f"{words} on {ground}": round(ratio, 2)
        for ground in GROUNDS
        for words in WORDS
        if (ratio := contrast(colours[words], colours[ground])) < least
    }
    assert poor == {}


def test_the_terminals_own_colours_are_all_that_the_ansi_theme_has() -> None:
    ansi = THEMES[-1]
    colours = with_greys(ansi.to_color_system().generate() | ansi.variables)
    for name in (*WORDS, "background", "faint", "border", "border-blurred"):
        assert Color.parse(colours[name]).ansi is not None, name


def test_auto_is_dark_unless_the_terminal_is_light() -> None:
    names = {theme.name for theme in THEMES}
    assert {theme_for(option, {}) for option in ABOUT["theme"].options} == names
    assert theme_for("auto", {}) == "loradeck-dark"
    assert theme_for("auto", {"COLORFGBG": "15;default;0"}) == "loradeck-dark"
    assert theme_for("auto", {"COLORFGBG": "0;default;15"}) == "loradeck-light"
    assert theme_for("dark", {"COLORFGBG": "0;15"}) == "loradeck-dark"


async def test_without_colour_none_is_written_and_the_focus_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(FakeEngine([running()]), tmp_path, LARGE) as (app, pilot):
        assert "Enter, or paste a path" in reversed_text(app)
        await pilot.press("t")
        await until(pilot, lambda: "running" in reversed_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query("#plot"))
        await pilot.pause()
        styles = [one.style for one in segments(app) if one.style is not None]
        colours = {colour for style in styles for colour in (style.color, style.bgcolor)}
        assert all(colour is None or colour.is_default for colour in colours)


def segments(app: LoraDeckApp) -> list[Segment]:
    """Give all that the screen shows."""
    return [one for line in app.screen._compositor.render_strips() for one in line]


def reversed_text(app: LoraDeckApp) -> str:
    """Give what the screen shows in reverse."""
    return "".join(one.text for one in segments(app) if one.style and one.style.reverse)
