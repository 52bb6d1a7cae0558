"""Collects the messages that stand in the code."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGES = ("engine", "screens", "tui")
_BINDING_WORDS = 2  # a binding's description is its third argument
Message = str | tuple[str, str]


def collect() -> Catalog:
    """Give a catalogue of all messages, each with the files that it stands in."""
    catalogue = Catalog(domain="loradeck", project="LoRADeck", charset="utf-8", fuzzy=False)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            place = str(path.relative_to(ROOT))
            for message in messages_of(path.read_text(encoding="utf-8"), place):
                # Without line numbers: these change with every commit
                flags = ("python-brace-format",) if "{" in str(message) else ()
                catalogue.add(message, locations=[(place, 0)], flags=flags)
    return catalogue


def messages_of(source: str, place: str) -> Iterator[Message]:
    """Find what a file says: ``tr``, ``trn``, ``mark``, and what its bindings are called.

    Raises:
        ValueError: A message is not written out, so that it cannot be translated.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        match node.func.id:
            case "tr" | "mark":
                # A name or a lookup stands for what was marked elsewhere
                if _is_written(node.args[0]) or node.func.id == "mark":
                    yield _text(node.args[0], place)
            case "trn":
                yield _text(node.args[0], place), _text(node.args[1], place)
            case "Binding":
                yield from _of_binding(node, place)
            case _:
                pass


def _of_binding(node: ast.Call, place: str) -> Iterator[str]:
    """Give a binding's description and tooltip, where it has them."""
    words = [*node.args[_BINDING_WORDS : _BINDING_WORDS + 1]]
    words += [one.value for one in node.keywords if one.arg in ("description", "tooltip")]
    for word in words:
        if text := _text(word, place):
            yield text


def _is_written(node: ast.expr) -> bool:
    """Tell whether words stand there; those that are put together cannot be looked up."""
    return isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp)


def _text(node: ast.expr, place: str) -> str:
    """Give a message that is written out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError(f"{place}:{node.lineno}: the message is not written out")
