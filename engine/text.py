"""The one place that makes text from files, models and exceptions safe to show."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from engine.errors import LoraDeckError
from engine.language import listed, tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ACTED_ON = "\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[{_ACTED_ON}]")
_NOT_SHOWN = re.compile(f"[{_ACTED_ON}\ud800-\udfff]")


def visible(text: str) -> str:
    """Replace control and direction characters, and lone surrogates, by a visible sign.

    Terminals act on ESC sequences inside data (clipboard, title), and neither Rich nor
    Textual strips them; a lone surrogate cannot be printed at all. Tabs and newlines stay.
    """
    return _CONTROL.sub(_sign, text.encode("utf-8", "replace").decode())


def reason_of(error: Exception) -> str:
    """Give an exception's kind and the first line of what it says, for where nobody expected it."""
    lines = visible(str(error)).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:500]


def _sign(match: re.Match[str]) -> str:
    """Give C0 characters their control picture and all others the replacement character."""
    code = ord(match.group())
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"


def json_text(value: Any, indent: int | None = None) -> str:
    """Write JSON, with escapes for what a terminal acts on or cannot print: it means the same."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _NOT_SHOWN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def either(names: Iterable[str]) -> str:
    """List names of which one is meant: ``a or b``."""
    return tr(" or ").join(names)


def some(names: Sequence[str], most: int = 3) -> str:
    """Name the first few, and say how many more there are."""
    shown, more = listed(names[:most]), len(names) - most
    return tr("{names} and {count:,} more", names=shown, count=more) if more > 0 else shown


def fault_of(place: object, reason: object) -> str:
    """Say what is wrong with a file, a field or whatever else has a name."""
    return tr("{place}: {reason}.", place=place, reason=reason)


def check_utf8(text: str) -> str:
    """Refuse a name that cannot be sent or stored, such as a file name of undecodable bytes.

    Raises:
        LoraDeckError: It holds a lone surrogate.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise LoraDeckError(
            tr("Name not UTF-8"),
            tr("'{name}' is no valid UTF-8.", name=visible(text)),
            tr("Rename it first."),
        ) from error
    return text


def human_bytes(count: float) -> str:
    """Write a number of bytes in at most three digits, in decimal units as disk makers do."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            whole = unit in ("B", "kB") or count >= 99.95
            return f"{count:.0f} {unit}" if whole else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def human_free(free: int, total: int) -> str:
    """Write what is free of some memory: ``24.1 GB of 25.3 GB free``."""
    return tr("{free} of {total} free", free=human_bytes(free), total=human_bytes(total))


def human_width(dtype: str) -> str:
    """Name the width of weights that are not quantized: ``16-bit``, ``32-bit``."""
    return tr("32-bit") if dtype == "float32" else tr("16-bit")


def human_duration(seconds: float) -> str:
    """Write a duration with its two largest units: ``2 h 05 min``, ``3 min 20 s``, ``12 s``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    if minutes:
        return f"{minutes} min {secs:02d} s"
    return f"{secs} s"


def human_left(seconds: float, bounds: tuple[float, float] | None = None) -> str:
    """Write a time left, with its spread where that is known: ``12 min left (11–14)``."""
    if bounds is None:
        return tr("{time} left", time=human_duration(seconds))
    units = ((3600, "h", 1), (60, "min", 0), (1, "s", 0))
    size, unit, digits = next((one for one in units if seconds >= 2 * one[0]), units[-1])
    about, low, high = (f"{value / size:.{digits}f}" for value in (seconds, *bounds))
    time = f"{about} {unit}"
    if low == high:
        return tr("{time} left", time=time)
    return tr("{time} left ({low}–{high})", time=time, low=low, high=high)


def human_count(count: float) -> str:
    """Write a large count briefly: ``135 M``, ``1.7 B``, ``12 k``."""
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= limit:
            value = count / limit
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{count:.0f}"
