"""The catalogues are those of the code as it is now, whole and with the right gaps."""

from __future__ import annotations

import re

import pytest

from tests.catalogue.collect import ROOT, collect, messages_of, messages_of_help
from tests.catalogue.files import TRANSLATED, mo_bytes, po_bytes, po_file, read, template, updated
from tests.catalogue.untranslated import untranslated

_GAP = re.compile(r"\{\w+(?::[^{}]*)?\}")
_WORDS = "make strings, translate what it says is missing, and once more"


def test_the_template_is_that_of_the_code() -> None:
    assert template().read_bytes() == po_bytes(collect()), _WORDS


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_is_up_to_date_and_compiled(language: str) -> None:
    path = po_file(language)
    catalogue = updated(language, collect())
    assert path.read_bytes() == po_bytes(catalogue), _WORDS
    assert path.with_suffix(".mo").read_bytes() == mo_bytes(catalogue), _WORDS


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated_with_its_gaps(language: str) -> None:
    for message in read(po_file(language)):
        if not message.id:
            continue
        one = message.id if isinstance(message.id, str) else message.id[-1]
        said = message.string if isinstance(message.string, str) else message.string[0]
        assert said, f"not translated: {one}"
        assert sorted(_GAP.findall(said)) == sorted(_GAP.findall(one)), one


def test_a_message_that_is_put_together_is_refused() -> None:
    assert list(messages_of('tr("a"); trn("b", "c", 1); mark("d")', "x")) == ["a", ("b", "c"), "d"]
    with pytest.raises(ValueError, match="x:1"):
        list(messages_of('tr(f"{a}")', "x"))


def test_the_help_of_commands_is_collected() -> None:
    texts = set(messages_of_help())
    assert {"Print the version.", "Show one task's record.", "Show this message and exit."} <= texts
    assert not [one for one in texts if one.startswith("loradeck")]


def test_a_sentence_that_is_not_translated_is_found() -> None:
    assert not [*untranslated('say(tr("All is well"), f"{a}: {b}", "loradeck engine stop")')]
    assert {*untranslated('say(f"{count} rows", "It is gone.")')} == {" rows", "It is gone."}


@pytest.mark.parametrize("folder", ["tui/cli", "engine/doctor"])
def test_what_commands_print_is_translated(folder: str) -> None:
    files = sorted((ROOT / folder).glob("*.py"))
    found = {file.name: [*untranslated(file.read_text(encoding="utf-8"))] for file in files}
    assert {name: words for name, words in found.items() if words} == {}
