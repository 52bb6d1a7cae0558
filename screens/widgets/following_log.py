"""A log that follows what is written, unless the user has scrolled up to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from textual.widgets import Log

if TYPE_CHECKING:
    from collections.abc import Iterable


class FollowingLog(Log):
    """Textual's log asks whether it stands at its end before it is laid out, and then stays."""

    _following = True

    def write_lines(self, lines: Iterable[str], scroll_end: bool | None = None) -> Self:
        """Write lines and show the last one, where the log follows."""
        super().write_lines(lines, scroll_end=False)
        if scroll_end is not False:
            self._follow()
            if self._following and self.container_size:
                # At once too: else the log is drawn twice, with its old end and with its new one
                self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
        return self

    def on_resize(self) -> None:
        """Show the last line in the new size too."""
        self._follow()

    def _follow(self) -> None:
        """Go to the last line, where the log follows."""
        if self._following:
            self.call_after_refresh(self.scroll_end, animate=False, immediate=True, x_axis=False)

    def clear(self) -> Self:
        """Begin anew, and follow."""
        self._following = True
        return super().clear()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stop following when the user scrolls up, and follow again from the end."""
        super().watch_scroll_y(old_value, new_value)
        if self.is_vertical_scroll_end:
            self._following = True
        elif new_value < old_value:
            self._following = False
