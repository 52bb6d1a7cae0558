"""A short list of values to choose one from, with a sentence beside each."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType

from screens.format import fitted, one_line, widest
from screens.widgets.line_list import LineList


class Option(NamedTuple):
    """A value as it is shown."""

    name: str
    words: str
    """What it means, or why it is marked."""
    now: bool
    """Whether it is the value at present."""


class OptionList(LineList["Option"]):
    """Options; the present one has a filled circle."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Take it", key_display="enter", id="option.take",
                tooltip="Take what stands under the cursor"),
    ]  # fmt: skip

    def lines_of(self, item: Option, width: int) -> list[Text]:
        """Draw an option."""
        room = widest([option.name for option in self.items.values()]) + 2
        glyph = ("● ", self.tone("run")) if item.now else ("○ ", self.tone("dim"))
        line = Text.assemble(glyph, fitted(item.name, room))
        line.append(fitted(one_line(item.words), width - line.cell_len), self.tone("dim"))
        return [line]
