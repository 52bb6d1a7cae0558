"""As much of Go's ``text/template`` as chat templates need: if, else if, range, eq, variables."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

_ACTION = re.compile(r"\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.DOTALL)
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')


class GoTemplateError(ValueError):
    """Go would not parse it."""


@dataclass
class _Block:
    """An ``if`` chain or a ``range``, or the whole."""

    kind: str
    branches: list[tuple[str, list[Any]]] = field(default_factory=list)


def render(source: str, values: dict[str, Any]) -> str:
    """Render a template.

    Raises:
        GoTemplateError: It is not valid, or uses what is not known here.
    """
    out: list[str] = []
    _run(parse(source), values, {}, out)
    return "".join(out)


def parse(source: str) -> list[Any]:
    """Parse a template into text, actions and blocks."""
    stack = [_Block("root", [("", [])])]
    for piece in _pieces(source):
        body = stack[-1].branches[-1][1]
        if isinstance(piece, str):
            body.append(piece)
            continue
        (action,) = piece
        word = action.split(None, 1)[0] if action else ""
        if word in ("if", "range"):
            stack.append(_Block(word, [(action.removeprefix(word).strip(), [])]))
            body.append(stack[-1])
        elif word == "else":
            if stack[-1].kind != "if":
                raise GoTemplateError("unexpected {{else}}")
            rest = action.removeprefix("else").strip()
            if rest and not rest.startswith("if "):
                raise GoTemplateError(f"unexpected {rest!r} in else")
            stack[-1].branches.append((rest.removeprefix("if").strip() or '"else"', []))
        elif word == "end":
            stack.pop()
            if not stack:
                raise GoTemplateError("unexpected {{end}}")
        else:
            body.append((action,))
    if len(stack) != 1:
        raise GoTemplateError("unexpected EOF")
    return stack[0].branches[0][1]


def _pieces(source: str) -> list[Any]:
    """Split a template into text and actions; ``{{-`` and ``-}}`` eat the space beside them."""
    pieces: list[Any] = []
    at, trim = 0, False
    for match in _ACTION.finditer(source):
        text = source[at : match.start()]
        text = text.lstrip() if trim else text
        pieces += [text.rstrip() if match[1] else text, (match[2],)]
        at, trim = match.end(), bool(match[3])
    rest = source[at:]
    if "{{" in rest:
        raise GoTemplateError("unclosed action")
    return [*pieces, rest.lstrip() if trim else rest]


def _run(nodes: list[Any], dot: Any, variables: dict[str, Any], out: list[str]) -> None:
    """Carry out a list of nodes."""
    for node in nodes:
        if isinstance(node, str):
            out.append(node)
        elif isinstance(node, tuple):
            _act(node[0], dot, variables, out)
        elif node.kind == "range":
            ((over, body),) = node.branches
            for one in _value(over, dot, variables) or ():
                _run(body, one, variables, out)
        else:
            for condition, body in node.branches:
                if _value(condition, dot, variables):
                    _run(body, dot, variables, out)
                    break


def _act(action: str, dot: Any, variables: dict[str, Any], out: list[str]) -> None:
    """Carry out one action: an assignment, or printing a value."""
    if match := re.fullmatch(r"(\$\w*)\s*(:?=)\s*(.+)", action, re.DOTALL):
        if match[2] == "=" and match[1] not in variables:
            raise GoTemplateError(f"undefined variable {match[1]}")
        variables[match[1]] = _value(match[3], dot, variables)
        return
    out.append(str(_value(action, dot, variables)))


def _value(expression: str, dot: Any, variables: dict[str, Any]) -> Any:
    """Work an expression out."""
    words = _WORD.findall(expression)
    if words and words[0] == "eq" and len(words) == 3:
        one, other = (_value(word, dot, variables) for word in words[1:])
        return one == other
    if len(words) != 1:
        raise GoTemplateError(f"not known here: {expression!r}")
    (word,) = words
    if word.startswith('"'):
        return json.loads(word)
    if word.startswith("$"):
        if word not in variables:
            raise GoTemplateError(f"undefined variable {word}")
        return variables[word]
    if word.startswith(".") and isinstance(dot, dict):
        return dot.get(word[1:], "")
    raise GoTemplateError(f"not known here: {word!r}")
