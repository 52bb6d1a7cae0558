"""Read lists and objects that a table's cell holds as text."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import TYPE_CHECKING, Any

from engine.data.faults import FaultyRowError
from engine.language import tr

if TYPE_CHECKING:
    from engine.data.normalize.place import Place

_MAX_LITERAL = 300_000
# pandas writes a column of arrays without commas between the objects; in Python's quotes no
# line can break, so the break is never part of a text
_NO_COMMA = re.compile(r"\}\n ?\{")
# ast and json raise these on text that is no literal, lies too deep or wants too much memory
_FAILURES = (ValueError, SyntaxError, MemoryError, RecursionError)


def from_cell(value: Any) -> Any:
    """Parse a text that holds a JSON list or object; anything else stays as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        return parse_cell(value, value)
    return value


def parse_cell(text: str, otherwise: Any) -> Any:
    """Parse JSON, or a Python literal as pandas writes lists into CSV."""
    try:
        return json.loads(text)
    except _FAILURES:
        pass
    if len(text) > _MAX_LITERAL:
        return otherwise
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in a stranger's text
            # Through JSON, so that tuples become lists and what JSON lacks is refused
            literal = ast.literal_eval(_NO_COMMA.sub("}, {", text.strip()))
            return json.loads(json.dumps(literal))
    except (*_FAILURES, TypeError):
        return otherwise


def as_json(value: Any, name: str | Place, code: str = "wrong-type") -> str:
    """Write a value as JSON text; ``name`` is what it is called."""
    try:
        text = json.dumps(value, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        raise FaultyRowError(
            "broken-text", tr("'{name}' holds half a character", name=name)
        ) from None
    except (TypeError, ValueError, RecursionError):
        raise FaultyRowError(
            code, tr("'{name}' holds a value that JSON cannot", name=name)
        ) from None
    return text
