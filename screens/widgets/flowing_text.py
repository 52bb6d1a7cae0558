"""A text that grows: what has come before is laid out once, however long the text becomes."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.widgets import Static

from engine.text import visible

if TYPE_CHECKING:
    from textual.app import ComposeResult

_BLOCK = 4000  # characters that are laid out anew with each piece, at most


class FlowingText(Vertical):
    """Shows a text in blocks, of which only the last one changes while it grows."""

    DEFAULT_CSS = """
    FlowingText {
        height: auto;
        & Static { width: 1fr; height: auto; }
        &.-muted { color: $muted; }
    }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._blocks = blocks_of(text)
        self._parts = [Static(visible(block), markup=False) for block in self._blocks]

    def compose(self) -> ComposeResult:
        """Give the blocks."""
        yield from self._parts

    def put(self, text: str, *, muted: bool = False) -> None:
        """Show another text; what it has in common with the one before stays as it is."""
        self.set_class(muted, "-muted")
        before, self._blocks = self._blocks, blocks_of(text)
        for place, (old, new) in enumerate(zip_longest(before, self._blocks)):
            if new is None:
                self._parts.pop().remove()
            elif old is None:
                self._parts.append(Static(visible(new), markup=False))
                self.mount(self._parts[-1])
            elif old != new:
                self._parts[place].update(visible(new))


def blocks_of(text: str) -> list[str]:
    """Cut a text where a line ends, else between words; what follows moves no cut."""
    blocks = []
    while len(text) > _BLOCK:
        beginning = text[:_BLOCK]
        cut = beginning.rfind("\n") + 1 or beginning.rfind(" ") + 1 or _BLOCK
        blocks.append(text[:cut].removesuffix("\n"))
        text = text[cut:]
    return [*blocks, text]
