"""Finds sentences that stand in a file and go through no catalogue."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

_SENTENCE = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")
_WORD = re.compile(r"(?<![-\w])[A-Za-z]{3,} | [A-Za-z]{3,}")
_COMMAND = re.compile(
    r"\s*(Example: )?([A-Z]+=\S+ )?(loradeck|make|chmod|sudo|docker|tmux|-m pip) "
)
"""What is typed is the same in any language."""
_ELSEWHERE = ("tr", "trn", "mark", "Option", "Argument", "Typer", "_json_option", "getLogger")
"""Calls whose words are in the catalogue; help texts come from the commands as they are built."""


def untranslated(source: str) -> Iterator[str]:
    """Find the sentences of a file outside of its docstrings and of what is translated."""
    tree = ast.parse(source)
    known = {id(part) for node in ast.walk(tree) if _is_known(node) for part in ast.walk(node)}
    filled = {id(part) for node in ast.walk(tree) if _is_filled(node) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in known:
            words = _WORD if id(node) in filled else _SENTENCE
            if words.search(node.value) and not _COMMAND.match(node.value):
                yield node.value


def _is_filled(node: ast.AST) -> TypeGuard[ast.JoinedStr]:
    """Tell whether a text is put together, of which single words are a sentence's parts."""
    return isinstance(node, ast.JoinedStr)


def _is_known(node: ast.AST) -> bool:
    """Tell whether what stands there is a docstring, or is translated."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        return name in _ELSEWHERE
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
