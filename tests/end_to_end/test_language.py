"""Commands in Chinese: what people read is translated, what programs read stays as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.end_to_end.conftest import CommandLine

pytestmark = pytest.mark.end_to_end
_CHINESE = re.compile("[\u4e00-\u9fff]")


def test_the_setting_names_the_language_of_commands(loradeck: CommandLine) -> None:
    loradeck.environment["LORADECK_LANGUAGE"] = "zh_CN"
    refused = loradeck.run("datasets", "inspect", "/no/such.json", code=2)
    assert "/no/such.json" in refused
    assert _CHINESE.search(refused)  # the engine's answer
    assert not _CHINESE.search(str(loradeck.json("doctor")))
    loradeck.home.settings_file.write_text("language = ")
    assert loradeck.run("--version").startswith("loradeck ")
