"""What the keyboard sends, as Textual reads it."""

from __future__ import annotations

import codecs
import sys
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.driver import Driver


def bear_all_bytes(driver: type[Driver]) -> None:
    """Let a driver read bytes that are not UTF-8 as signs of replacement.

    Textual's thread that reads the keyboard ends at the first one, and the dashboard with it: a
    name in Latin-1 that is pasted or dropped, a key with Alt in a terminal of eight bits.
    """
    module = sys.modules[driver.__module__]
    if hasattr(module, "getincrementaldecoder"):
        module.getincrementaldecoder = _lenient_decoder  # type: ignore[attr-defined]


def _lenient_decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    """Give, as the function of ``codecs`` does, what makes a decoder; this one refuses nothing."""
    return partial(codecs.getincrementaldecoder(encoding), "replace")
