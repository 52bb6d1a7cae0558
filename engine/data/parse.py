"""Parse a dataset's text: a JSON array of objects, or an object a line."""

from __future__ import annotations

import json
import re
from typing import Any

from engine.data.words import key_list, kind_of
from engine.errors import LoraDeckError

_FIRST_LINE = re.compile(r"\s*([^\n]*)\n?\s*(\{)?")
_WANTED = "Wanted is a list of rows: [ {…}, {…} ], or one {…} on each line."


def parse_rows(text: str, name: str) -> list[dict[str, Any]]:
    """Parse the text of a file called ``name``.

    Raises:
        LoraDeckError: Broken JSON (with line and column), something other than rows, no row,
            or a row that is no object (with its number).
    """
    values = _parse_lines(text, name) if _is_jsonl(text) else _parse_array(text, name)
    for number, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            raise LoraDeckError(
                "Row is not an object",
                f"{name}: row {number} is {kind_of(value)}, not an object.",
                'Write each row as an object: {"instruction": "…", "output": "…"}.',
            )
    return values


def _is_jsonl(text: str) -> bool:
    """Look at the first two lines: an object that ends where its line ends makes it JSONL."""
    match = _FIRST_LINE.match(text)
    first = match.group(1).strip() if match else ""
    if match is None or not first.startswith("{"):
        return False
    try:
        _DECODER.decode(first)
    except (ValueError, RecursionError):
        # A broken first row is still JSONL where its line, or the next, looks like an object
        return first.endswith("}") or match.group(2) is not None
    return True


def _parse_lines(text: str, name: str) -> list[Any]:
    """Parse JSONL; blank lines are no rows."""
    # Not splitlines: U+2028 and its like are allowed inside JSON strings
    lines = enumerate(text.split("\n"), start=1)
    return [_parse(line, name, number) for number, line in lines if line.strip()]


def _parse_array(text: str, name: str) -> list[Any]:
    """Parse one JSON value, which must be an array with rows."""
    value = _parse(text, name)
    if not isinstance(value, list):
        raise _not_an_array(value, name)
    if not value:
        raise LoraDeckError("Dataset has no rows", f"{name} is an empty list.", _WANTED)
    return value


def _not_an_array(value: Any, name: str) -> LoraDeckError:
    """Say what the file holds in place of a list, and where its rows may be."""
    what, hint = kind_of(value), _WANTED
    if isinstance(value, dict):
        what = f"a single object with the keys {key_list(value)}"
        inner = [key for key, item in value.items() if item and isinstance(item, list)]
        if inner:
            hint += f" Its rows may lie under {key_list(inner)}: save that list as a file."
    return LoraDeckError("Not a list of rows", f"{name} holds {what}, not a list of rows.", hint)


def _parse(text: str, name: str, line: int | None = None) -> Any:
    """Parse one JSON value; ``line`` is where it stands in a JSONL file."""
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {line or error.lineno}, column {error.colno}"
        raise LoraDeckError(
            "Broken JSON", f"{name}: {place}: {_reason(error)}.", _mending(error, line)
        ) from None
    except RecursionError:
        place = "" if line is None else f": line {line}"
        raise LoraDeckError(
            "JSON nested too deep",
            f"{name}{place}: lists or objects lie too deep within each other.",
            _WANTED,
        ) from None


def _reason(error: json.JSONDecodeError) -> str:
    """Give the parser's words without the place they want to lead into."""
    return error.msg.removesuffix(" at").removesuffix(" starting")


def _mending(error: json.JSONDecodeError, line: int | None) -> str:
    """Suggest how to mend a place of broken JSON."""
    if error.msg == "Extra data":
        return f"The file goes on after the JSON has ended. {_WANTED}"
    # A string that merely lacks its quote runs into a line end, which is another error
    if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string"):
        what = "The file" if line is None else "The line"
        return f"{what} ends before the JSON does: check that the file was written whole."
    return "Mend that place in an editor, or write the file again with a JSON library."


def _number(digits: str) -> int | float:
    """Read an integer of any length: Python refuses those over 4,300 digits."""
    return int(digits) if len(digits) < 4000 else float(digits)


_DECODER = json.JSONDecoder(parse_int=_number)
