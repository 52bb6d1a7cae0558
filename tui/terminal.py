"""What the terminal can do, as far as it says, and the sequences that it acts on."""

from __future__ import annotations

import codecs
import sys
from typing import TYPE_CHECKING

from engine.language import meant
from engine.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

PUSH_TITLE = "\x1b[22;0t"
POP_TITLE = "\x1b[23;0t"
_PLAIN = ("ansi", "cons25", "dumb", "linux", "vt100", "vt102", "vt220")
_MARKS = str.maketrans({";": ",", "\n": " ", "\t": " "})  # a sequence's own marks


def encoding_of_terminal() -> str:
    """Name the encoding of what Textual draws on."""
    return getattr(sys.__stderr__, "encoding", None) or "utf-8"


def is_utf8(encoding: str) -> bool:
    """Tell whether an encoding can say everything."""
    try:
        return codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return False


def language_for(setting: str, encoding: str) -> str:
    """Choose the language; a terminal that is not UTF-8 cannot say Chinese."""
    return meant(setting) if is_utf8(encoding) else "en"


def draws_glyphs(setting: str, environment: Mapping[str, str], encoding: str) -> bool:
    """Tell whether lines, blocks, braille and signs are drawn as they are.

    The console's own fonts and old terminals lack them; auto goes by the terminal's name.
    """
    if setting != "auto":
        return setting == "unicode"
    return is_utf8(encoding) and environment.get("TERM", "") not in _PLAIN


def title(words: str) -> str:
    """Make the sequence that sets the terminal's title (OSC 2)."""
    return f"\x1b]2;{_clean(words)}\x07"


def notification(kind: str, head: str, words: str, environment: Mapping[str, str]) -> str:
    """Make the sequence that tells the desktop something.

    Args:
        kind: ``osc9``, or ``osc777``, which knows a head of its own.
        head: What it is about.
        words: What has happened.
        environment: In which tmux names itself: it hands on only what is wrapped for that.
    """
    head, words = _clean(head), _clean(words)
    body = f"777;notify;{head};{words}" if kind == "osc777" else f"9;{head}: {words}"
    sequence = f"\x1b]{body}\x07"
    if "TMUX" in environment:
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return sequence


def _clean(words: str) -> str:
    """Take out of words what would end a sequence, or begin another."""
    return visible(words).translate(_MARKS)
