"""The words that say for what a pending task waits, behind those that say what happened to it."""

from __future__ import annotations

_WAITS = "Waits until ", "Waits for ", "The disk is full; starts "
"""How they begin."""


def without_waiting(message: str) -> str:
    """Take from a message for what the task waits, or has waited."""
    at = min((place for words in _WAITS if (place := message.find(words)) >= 0), default=None)
    return message[:at].rstrip()
