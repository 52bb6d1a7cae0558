"""Loss curves of several tasks over one another; imported late, as it brings numpy along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual_plot import HiResMode

from screens.compared_words import COLOURS, LETTERS
from screens.widgets.themed_plot import ThemedPlot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from screens.compared_curves import Line

_LETTERS_EACH = 5


class ComparedPlot(ThemedPlot):
    """A line a task in its colour, with its letter on it here and there."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()

    def draw(self, lines: Sequence[Line]) -> None:
        """Draw these curves."""
        self._lines = [line for line in lines if line.xs]
        self.redraw()

    def redraw(self) -> None:
        """Draw the curves anew; the letters after all lines, so that none lies under one."""
        self.clear()
        if not self._lines:
            return
        self.frame([x for line in self._lines for x in line.xs],
                   [y for line in self._lines for y in line.ys])  # fmt: skip
        for line in self._lines:
            self.plot(line.xs, line.ys, self.colour(COLOURS[line.place]), HiResMode.BRAILLE)
        for line in self._lines:
            at = _lettered(line, len(self._lines))
            xs, ys = [line.xs[index] for index in at], [line.ys[index] for index in at]
            style = f"bold {self.colour(COLOURS[line.place])}"
            self.scatter(xs, ys, LETTERS[line.place], style)


def _lettered(line: Line, of: int) -> list[int]:
    """Choose the points that bear a line's letter: elsewhere than those of lines beside it."""
    shift = (line.place % of + 0.5) / of
    count = len(line.xs)
    return sorted({int((part + shift) / _LETTERS_EACH * count) for part in range(_LETTERS_EACH)})
