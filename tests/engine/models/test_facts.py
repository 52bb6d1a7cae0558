"""The licence and the template, as a model's own files tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.models.facts import has_template, licence_of_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\ntags: [x]\n---\n# Model", "apache-2.0"),
        ("---\r\nlicense: 'mit'\r\n---\r\n", "mit"),
        ("---\nlicense: other\nlicense_name: llama3\n---\n", "llama3"),
        ("---\nlicense: other\n---\n", "other"),
        ("# Model\nlicense: mit\n", ""),
        ("---\nlicense: a\x1b]0;title\x07b\n---\n", "a␛]0;title␇b"),
        ("---\nlicense: " + "x" * 500 + "\n---\n", "x" * 60),
        ("---\ntext: |\n  license: inner\n---\n", ""),
        ("\xff\x00", ""),
    ],
)
def test_the_head_of_the_card_names_the_licence(card: str, licence: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(card, encoding="utf-8", newline="")
    assert licence_of_folder(tmp_path) == licence


def test_without_a_card_no_licence_is_known(tmp_path: Path) -> None:
    assert licence_of_folder(tmp_path) == ""
    (tmp_path / "README.md").mkdir()
    assert licence_of_folder(tmp_path) == ""


def test_a_template_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert not has_template(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": 3}')
    assert not has_template(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("{{ messages }}")
    assert has_template(tmp_path)
