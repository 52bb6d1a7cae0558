"""What a model's files tell about it beyond its sizes: its licence and its chat template."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.data.model_files import template_source
from engine.errors import LoraDeckError
from engine.models.gguf_header import read_header
from engine.text import visible

if TYPE_CHECKING:
    from pathlib import Path

CARD = "README.md"
_CARD_BYTES = 64_000
_FRONT = re.compile(r"\A\s*---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_LICENCE = re.compile(r"^(license|license_name):[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_LONGEST = 60


def has_template(folder: Path) -> bool:
    """Tell whether a folder's model brings a chat template of its own that can be read."""
    try:
        return template_source(folder) is not None
    except LoraDeckError:
        return False


def licence_of_folder(folder: Path) -> str:
    """Give the licence that the head of a folder's model card names; empty where it names none."""
    try:
        with (folder / CARD).open(encoding="utf-8", errors="replace") as stream:
            front = _FRONT.match(stream.read(_CARD_BYTES))
    except OSError:
        return ""
    named = dict(_LICENCE.findall(front[1])) if front else {}
    licence = named.get("license", "")
    if licence == "other":  # the hub's word for one that has a name of its own
        licence = named.get("license_name", licence)
    return _cleaned(licence)


def facts_of_gguf(file: Path) -> tuple[bool, str]:
    """Tell whether a GGUF file has a chat template, and its licence; empty where it names none.

    Raises:
        LoraDeckError: It is no GGUF file.
    """
    metadata = read_header(file).metadata
    licence = metadata.get("general.license", "")
    return "tokenizer.chat_template" in metadata, _cleaned(str(licence))


def _cleaned(licence: str) -> str:
    """Take quotes and what a terminal acts on away."""
    return visible(licence.strip("\"' "))[:_LONGEST]
