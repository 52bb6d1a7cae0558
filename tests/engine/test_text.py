"""Text is made safe to show; numbers are written briefly."""

from __future__ import annotations

import json

import pytest

from engine.errors import LoraDeckError
from engine.text import check_utf8, human_bytes, human_count, human_duration, json_text, visible


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain, 中文 and 🙂", "plain, 中文 and 🙂"),
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b]52;c;eA==\x07", "␛]52;c;eA==␇"),
        ("\x9b31m\x7f", "\ufffd31m\ufffd"),
        ("\u202egnp.exe\u2066", "\ufffdgnp.exe\ufffd"),
        ("half \ud83d of it", "half ? of it"),
    ],
)
def test_visible(raw: str, shown: str) -> None:
    assert visible(raw) == shown


def test_json_is_shown_and_means_the_same() -> None:
    value = {"a\x1b": ["\x9b", "\u202e", "half \ud83d", "中文 🙂", "line\nend\t", 1.5, None]}
    for indent in (None, 2):
        text = json_text(value, indent)
        assert visible(text) == text
        assert "中文 🙂" in text
        assert json.loads(text) == value


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (999_600, "1.0 MB"), (1_250_000, "1.2 MB"),
     (99_960_000, "100 MB"), (569_500_000, "570 MB"), (23.7e9, "23.7 GB"), (5e12, "5.0 TB")],
)  # fmt: skip
def test_bytes(count: float, words: str) -> None:
    assert human_bytes(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_duration(seconds: float, words: str) -> None:
    assert human_duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(950, "950"), (12_000, "12 k"), (134_515_008, "135 M"), (1.7e9, "1.7 B"), (7e10, "70 B")],
)
def test_count(count: float, words: str) -> None:
    assert human_count(count) == words


def test_name_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(LoraDeckError, match="no valid UTF-8"):
        check_utf8("rows\udcff.json")
    assert check_utf8("数据.json") == "数据.json"
