"""Collects the messages that stand in the code."""

from __future__ import annotations

import ast
import inspect
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from typer.main import get_command

from tui.cli.commands import app
from tui.cli.language import EXAMPLE, help_of

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
                _add(catalogue, message, place)
    for message in messages_of_help():
        _add(catalogue, message, "tui/cli")
    return catalogue


def _add(catalogue: Catalog, message: Message, place: str) -> None:
    """Add a message; without line numbers, which change with every commit."""
    flags = ("python-brace-format",) if "{" in str(message) else ()
    catalogue.add(message, locations=[(place, 0)], flags=flags)


def messages_of_help() -> Iterator[str]:
    """Give the help texts of all commands; of an example nothing is translated."""
    command = get_command(app)
    for owner, name in help_of(command, command.context_settings):
        text: str = getattr(owner, name)
        if not text.startswith(EXAMPLE):
            yield text


def messages_of(source: str, place: str) -> Iterator[Message]:
    """Find what a file says: ``tr``, ``trn``, ``mark``, what its bindings are called, and what its
    settings mean.

    Raises:
        ValueError: A message is not written out, so that it cannot be translated.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and "use_attribute_docstrings" in _config_of(node):
            yield from _of_fields(node)
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


def _config_of(model: ast.ClassDef) -> set[str | None]:
    """Name what a pydantic model's ``model_config`` sets."""
    return {
        keyword.arg
        for one in model.body
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "model_config"
        for keyword in getattr(one.value, "keywords", ())
    }


def _of_fields(model: ast.ClassDef) -> Iterator[str]:
    """Give the sentences beneath a model's fields, as pydantic makes descriptions of them."""
    for field, below in itertools.pairwise(model.body):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
            yield inspect.cleandoc(ast.literal_eval(below.value))


def _is_written(node: ast.expr) -> bool:
    """Tell whether words stand there; those that are put together cannot be looked up."""
    return isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp)


def _text(node: ast.expr, place: str) -> str:
    """Give a message that is written out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError(f"{place}:{node.lineno}: the message is not written out")
