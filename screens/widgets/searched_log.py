"""A log that can be searched: matches are marked, and one leads to the next."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self

from rich.text import Text
from textual.strip import Strip

from engine.language import tr, trn
from screens.widgets.following_log import FollowingLog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style

_MARK, _CURRENT = "bold underline", "bold reverse"


class SearchedLog(FollowingLog):
    """Its title says whether it follows, or which match is shown."""

    _pattern: re.Pattern[str] | None = None
    _current: int | None = None
    """The line of the match that is shown."""
    _heading = ""

    @property
    def searching(self) -> bool:
        """Whether something is searched for."""
        return self._pattern is not None

    def search(self, words: str) -> None:
        """Mark the lines with these words, large or small, and show the newest of them."""
        self._pattern = re.compile(re.escape(words), re.IGNORECASE) if words else None
        matches = self._matches()
        self._show(matches[-1] if matches else None)

    def next_match(self, by: int) -> None:
        """Show the next match below, or above with -1; behind the last comes the first."""
        if not (matches := self._matches()):
            return
        at = -1 if self._current is None else self._current
        later = [line for line in matches if line > at]
        earlier = [line for line in matches if line < at]
        if by > 0:
            self._show(later[0] if later else matches[0])
        else:
            self._show(earlier[-1] if earlier else matches[-1])

    def follow(self) -> None:
        """Go to the last line, and follow again."""
        self._following = True
        self._follow()
        self._say()

    def write_lines(self, lines: Iterable[str], scroll_end: bool | None = None) -> Self:
        """Write lines; the match that is shown moves up where old lines go."""
        new = list(lines)
        gone = max(0, len(self.lines) + len(new) - (self.max_lines or 0)) if self.max_lines else 0
        if self._current is not None and gone:
            self._current = self._current - gone if self._current >= gone else None
        super().write_lines(new, scroll_end)
        self._say()
        return self

    def clear(self) -> Self:
        """Begin anew; what was searched for is searched for in what comes."""
        self._current = None
        super().clear()
        self._say()
        return self

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Say when following ends or begins."""
        followed = self._following
        super().watch_scroll_y(old_value, new_value)
        if followed != self._following:
            self._say()

    def _matches(self) -> list[int]:
        """List the lines that match."""
        if (pattern := self._pattern) is None:
            return []
        return [number for number, line in enumerate(self.lines) if pattern.search(line)]

    def _show(self, line: int | None) -> None:
        """Show a match in the middle."""
        self._current = line
        self._render_line_cache.clear()
        if line is not None:
            self._following = False
            top = max(0, line - self.scrollable_content_region.height // 2)
            self.scroll_to(y=top, animate=False, immediate=True)
        self.refresh()
        self._say()

    def _say(self) -> None:
        """Say whether the log follows, or which of how many matches is shown."""
        self.border_title = " · ".join(filter(None, (self._heading, self._state())))

    def name_lines(self, heading: str) -> None:
        """Say what the lines are."""
        self._heading = heading
        self._say()

    def _state(self) -> str:
        """Put the log's state into words."""
        if not self.searching:
            return "" if self._following else tr("stopped, G follows")
        matches = self._matches()
        if self._current in matches:
            place = matches.index(self._current) + 1
            return tr("match {place} of {count}", place=place, count=len(matches))
        return trn("{count} match", "{count} matches", len(matches))

    def _render_line_strip(self, y: int, rich_style: Style) -> Strip:
        """Draw a line with its matches marked."""
        if self._pattern is None or not self._pattern.search(self.lines[y]):
            return super()._render_line_strip(y, rich_style)
        text = Text(self._process_line(self.lines[y]), no_wrap=True, end="")
        text.stylize(rich_style)
        for match in self._pattern.finditer(text.plain):
            text.stylize(_CURRENT if y == self._current else _MARK, *match.span())
        return Strip(text.render(self.app.console), text.cell_len)
