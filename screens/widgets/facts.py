"""Names and what belongs to them, in two columns: long words go on beneath themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content
from textual.widgets import Static

from screens.format import packed, widest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

_GAP = 2
_HANG = 2
_LEAST = 12  # cells that the words keep beside a long name


class Fact(NamedTuple):
    """A name, and its words or several that are not to be broken."""

    name: str
    words: Content | Sequence[Content]


class Facts(Static):
    """Facts, and texts that reach over both columns; hidden while there are none."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(markup=False, id=id)
        self._lines: list[Fact | Content] = []

    def put(self, lines: Sequence[Fact | Content]) -> None:
        """Show these in place of what stood here."""
        self._lines = list(lines)
        self.display = bool(lines)
        self._draw()

    def on_resize(self, _: events.Resize) -> None:
        """Draw for the new width."""
        self._draw()

    def _draw(self) -> None:
        """Draw for the present width."""
        # Before the first layout: too narrow a guess would leave the panel too high.
        width = self.content_size.width or max(self.app.size.width - 5, 1)
        self.update(Content("\n").join(in_columns(self._lines, width)))


def in_columns(lines: Sequence[Fact | Content], width: int) -> list[Content]:
    """Lay facts out within some cells."""
    names = widest([line.name for line in lines if isinstance(line, Fact)]) + _GAP
    names = max(min(names, width - _LEAST), 0)
    drawn: list[Content] = []
    for line in lines:
        if isinstance(line, Content):
            drawn.append(hung(line, width))
            continue
        name = Content.styled(line.name, "$muted").truncate(names, ellipsis=True, pad=True)
        for part in _broken(line.words, max(width - names, 1)) or [Content()]:
            drawn.append(Content.assemble(name, part))
            name = Content(" " * names)
    return drawn


def _broken(words: Content | Sequence[Content], width: int) -> list[Content]:
    """Break words into lines."""
    return words.wrap(width) if isinstance(words, Content) else packed(words, width, " " * _GAP)


def hung(text: Content, width: int) -> Content:
    """Break a text's lines so that what does not fit goes on two cells further in."""
    broken = (line.wrap(max(width - _HANG, 1)) or [line] for line in text.split("\n"))
    return Content("\n").join(Content(f"\n{' ' * _HANG}").join(lines) for lines in broken)
