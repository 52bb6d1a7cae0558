"""A short list of things to do."""

from __future__ import annotations

from rich.text import Text

from screens.format import fitted
from screens.widgets.line_list import LineList


class Menu(LineList[str]):
    """Words, a line each."""

    def lines_of(self, item: str, width: int) -> list[Text]:
        """Draw what can be done."""
        return [Text(fitted(item, width), style=self.tone("plain"))]
