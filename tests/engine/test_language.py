"""Which language is spoken, and what is said where there is no translation."""

from __future__ import annotations

import asyncio
import gettext
from typing import TYPE_CHECKING

import pytest

from engine import language
from engine.language import language_of_locale, speaking, spoken, tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Loud(gettext.NullTranslations):
    """A language in which everything is shouted."""

    def gettext(self, message: str) -> str:
        """Shout."""
        return message.upper().replace("{NAME}", "{name}")

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Shout, without a plural."""
        return many.upper().replace("{COUNT}", "{count}")


@pytest.fixture(autouse=True)
def _loud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let Chinese be the loud language."""
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    loud, plain = _Loud(), gettext.NullTranslations()
    monkeypatch.setattr(language, "_catalogue", lambda name: loud if name == "zh_CN" else plain)
    yield
    language.speak("en")


def test_words_are_translated_before_they_are_filled_in() -> None:
    language.speak("zh_CN")
    assert tr("hello {name}", name="{Ann}") == "HELLO {Ann}"
    assert tr("a {brace}") == "A {BRACE}"
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


async def test_requests_speak_their_own_languages_at_once() -> None:
    async def one(name: str) -> str:
        with speaking(name):
            await asyncio.sleep(0)
            return await asyncio.to_thread(tr, "word")

    assert await asyncio.gather(one("zh_CN"), one("en"), one("xx")) == ["WORD", "word", "word"]
    assert spoken() == "en"
