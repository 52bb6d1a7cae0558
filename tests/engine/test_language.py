"""Which language is spoken, and what is said where there is no translation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from engine import language
from engine.language import language_of_locale, speaking, spoken, tr, trn
from engine.settings import language_of
from tests.loud import let_chinese_be_loud

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.home import Home


@pytest.fixture(autouse=True)
def _loud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let Chinese be the loud language."""
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    let_chinese_be_loud(monkeypatch)
    yield
    language.speak("en")


def test_words_are_translated_before_they_are_filled_in() -> None:
    language.speak("zh_CN")
    assert tr("hello {name}", name="{Ann}") == "HELLO {Ann}"
    assert tr("a {brace}") == "A {brace}"
    assert trn("{count} row", "{count} rows", 1) == "1 ROWS"
    assert tr("") == ""


def test_english_has_its_plural() -> None:
    assert trn("{count} row", "{count} rows", 1) == "1 row"
    assert trn("{count} row", "{count} rows", 2) == "2 rows"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_TW.UTF-8"}, "zh_CN"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "fr"}, "zh_CN"),
        ({"LANG": "!!"}, "en"),
    ],
)
def test_the_environment_names_the_language(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language_of_locale() == expected


def test_the_settings_go_before_the_locale(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LORADECK_LANGUAGE")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert language_of(home) == "zh_CN"
    home.settings_file.write_text('language = "en"')
    assert language_of(home) == "en"


async def test_requests_speak_their_own_languages_at_once() -> None:
    async def one(name: str) -> str:
        with speaking(name):
            await asyncio.sleep(0)
            return await asyncio.to_thread(tr, "word")

    assert await asyncio.gather(one("zh_CN"), one("en"), one("xx")) == ["WORD", "word", "word"]
    assert spoken() == "en"
