"""The command line in another language: its help, its tables and what typer says itself."""

from __future__ import annotations

import gettext
from typing import TYPE_CHECKING

import pytest
from babel.messages.catalog import Catalog

from engine.doctor.check import warning
from engine.errors import LoraDeckError
from engine.language import speak, speaking, spoken, tr
from tests.catalogue.files import mo_bytes
from tests.loud import let_chinese_be_loud
from tui.cli import engine, language
from tui.cli.commands import app
from tui.cli.language import EXAMPLE, command_of, help_of, speak_as_set
from tui.cli.output import print_error, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.home import Home


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let gettext and the process speak as before, afterwards."""
    monkeypatch.setenv("LANGUAGE", "en")
    yield
    gettext.textdomain("messages")
    speak("en")


@pytest.fixture
def loud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Speak a Chinese that is English shouted."""
    let_chinese_be_loud(monkeypatch)
    with speaking("zh_CN"):
        yield


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command and give what it printed, its white space as blanks."""
    command_of(app).main([*arguments], "loradeck", standalone_mode=False)
    return " ".join(capsys.readouterr().out.replace("│", " ").split())


@pytest.mark.usefixtures("loud")
def test_help_is_translated_but_for_what_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "tasks", "logs", "--help")
    assert "PRINT THE END OF A TASK'S WORKER LOG." in told  # from the docstring
    assert "HOW MANY OF THE LAST." in told
    assert "SHOW THIS MESSAGE AND EXIT." in told
    assert "EXAMPLE: loradeck tasks logs my-first --lines 50" in told
    assert "--lines" in told


def test_help_is_english_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "tasks", "logs", "--help")
    assert "Print the end of a task's worker log." in told
    assert "Example: loradeck tasks logs my-first --lines 50" in told


def test_every_epilog_is_an_example() -> None:
    command = command_of(app)
    texts = help_of(command, command.context_settings)
    epilogs = [getattr(owner, name) for owner, name in texts if name == "epilog"]
    assert len(epilogs) > 40
    assert all(one.startswith(f"{EXAMPLE}loradeck ") or "EDITOR=" in one for one in epilogs)


def test_typer_finds_its_words_in_our_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = Catalog(locale="zh_CN")
    catalogue.add("Options", "选项")
    place = tmp_path / "zh_CN" / "LC_MESSAGES" / "loradeck.mo"
    place.parent.mkdir(parents=True)
    place.write_bytes(mo_bytes(catalogue))
    monkeypatch.setattr(language, "LOCALE", tmp_path)
    with speaking("zh_CN"):
        command_of(app)
    assert gettext.gettext("Options") == "选项"


@pytest.mark.parametrize(
    ("settings", "encoding", "expected"),
    [
        ('language = "zh_CN"', "utf-8", "zh_CN"),
        ('language = "zh_CN"', "ascii", "en"),
        ("language = ", "utf-8", "en"),  # broken: as the locale
        ('language = "auto"', "utf-8", "en"),
        ("", "utf-8", "en"),
    ],
)
def test_the_homes_setting_decides(
    settings: str, encoding: str, expected: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LORADECK_LANGUAGE")
    monkeypatch.setattr(language, "encoding_of_terminal", lambda: encoding)
    home.settings_file.write_text(settings)
    speak_as_set()
    assert spoken() == expected


def test_json_is_english(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Home
) -> None:
    let_chinese_be_loud(monkeypatch)
    monkeypatch.setattr(engine, "check", lambda _: [warning("disk", tr("full"), tr("clear it"))])
    speak("zh_CN")
    assert printed(capsys, "doctor") == "WARNING DISK: FULL CLEAR IT"
    assert '"detail": "full"' in printed(capsys, "doctor", "--json")


@pytest.mark.usefixtures("loud")
def test_an_error_is_translated(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LoraDeckError) as caught:
        printed(capsys, "train", "--name", "x")
    print_error(caught.value)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "DATASET MISSING: SAY WHICH FILE TO TRAIN ON."


class _Wide(gettext.NullTranslations):
    """A few words, each character of which is two columns wide."""

    def gettext(self, message: str) -> str:
        """Look a word up."""
        return {"NAME": "名称", "STATUS": "状态", "warning": "警告", "disk": "磁盘"}.get(
            message, message
        )


def test_columns_are_straight_with_wide_characters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.language._catalogue", lambda _: _Wide())
    monkeypatch.setattr(engine, "check", lambda _: [warning("disk", "x", "y")])
    print_table((tr("NAME"), tr("STATUS")), [("a", "b")])
    engine.doctor()
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["名称  状态", "a     b", "警告     磁盘: x", "         y"]
