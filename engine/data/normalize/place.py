"""What a value of a row is called, in the messages about it."""

from __future__ import annotations

from engine.language import tr


class Place:
    """A name that is put into words only where something is wrong there: there is one a turn.

    Args:
        words: Marked for translation.
        values: What stands in their braces.
    """

    __slots__ = ("_values", "_words")

    def __init__(self, words: str, **values: object) -> None:
        self._words = words
        self._values = values

    def __str__(self) -> str:
        return tr(self._words, **self._values)
