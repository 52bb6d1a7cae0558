"""The settings' file: what it may hold, and that a change leaves the rest of it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.errors import LoraDeckError
from engine.home import Home
from engine.settings import ABOUT, Settings, load_settings, save_settings

if TYPE_CHECKING:
    from pathlib import Path

MINE = """\
# my box
idle_minutes = 30   # it is slow to start

theme = "light"

[keymap]
"home.start" = "z" # on my keyboard
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("LORADECK_LANGUAGE")
    return Home(tmp_path)


def test_nothing_set_gives_the_defaults(home: Home) -> None:
    assert load_settings(home) == Settings()


def test_a_change_keeps_comments_order_and_all_else(home: Home) -> None:
    home.settings_file.write_text(MINE)
    save_settings(home, {"theme": "ansi", "refresh_seconds": 1.0, "idle_minutes": None})
    save_settings(home, {"keymap": {"home.model": "y", "home.absent": None}})
    text = home.settings_file.read_text()
    assert text.startswith("# my box\n")
    assert '\ntheme = "ansi"\n' in text
    assert '"home.start" = "z" # on my keyboard\n' in text
    assert text.index("refresh_seconds") < text.index("[keymap]") < text.index("home.model")
    assert load_settings(home) == Settings(
        theme="ansi", refresh_seconds=1.0, keymap={"home.start": "z", "home.model": "y"}
    )
    save_settings(home, {"keymap": {"home.start": None}})
    assert load_settings(home).keymap == {"home.model": "y"}


def test_the_first_change_makes_the_file(home: Home) -> None:
    save_settings(home, {"keymap": {"home.start": "z"}})
    save_settings(home, {"bell": True})
    assert load_settings(home) == Settings(bell=True, keymap={"home.start": "z"})
    assert home.settings_file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"theme = ", b"\xff\xfe", b"colour = 1", b"keymap = 3", None])
def test_a_file_of_another_form_is_told_and_stays(home: Home, content: bytes | None) -> None:
    if content is None:
        home.settings_file.mkdir()
    else:
        home.settings_file.write_bytes(content)
    for attempt in (load_settings, lambda home: save_settings(home, {"bell": True})):
        with pytest.raises(LoraDeckError, match=r"settings\.toml"):
            attempt(home)
    assert content is None or home.settings_file.read_bytes() == content


def test_a_link_stays_one(home: Home, tmp_path: Path) -> None:
    there = tmp_path / "dotfiles.toml"
    there.write_text("bell = true\n")
    home.settings_file.symlink_to(there)
    save_settings(home, {"theme": "ansi"})
    assert home.settings_file.is_symlink()
    assert there.read_text() == 'bell = true\ntheme = "ansi"\n'


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("refresh_seconds", 0.01, "a number, at least 0.1, at most 5"),
        ("refresh_seconds", "nan", "a number"),
        ("idle_minutes", 0, "a number, above 0"),
        ("idle_minutes", True, "a number, above 0"),
        ("tasks_per_gpu", 1.5, "a whole number, at least 1"),
        ("bell", 1, "true or false"),
        ("theme", "pink", "auto, dark, light, contrast-dark, contrast-light or ansi"),
        ("theme", 1, "auto, dark"),
    ],
)
def test_what_a_setting_does_not_take_is_told_and_not_saved(
    home: Home, key: str, value: object, words: str
) -> None:
    with pytest.raises(LoraDeckError, match=words):
        save_settings(home, {key: value})
    assert not home.settings_file.exists()


def test_the_environment_goes_before_the_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.settings_file.write_text("bell = true\nidle_minutes = 3")
    monkeypatch.setenv("LORADECK_BELL", "off")
    monkeypatch.setenv("LORADECK_IDLE_MINUTES", "2.5")
    assert load_settings(home) == Settings(bell=False, idle_minutes=2.5)
    monkeypatch.setenv("LORADECK_BELL", "loud")
    with pytest.raises(LoraDeckError, match="LORADECK_BELL: it takes true or false"):
        load_settings(home)


def test_every_default_is_within_its_own_range() -> None:
    for key, about in ABOUT.items():
        assert about.read(about.default) == getattr(Settings(), key)
        assert about.meaning.endswith(".")
