"""Which part of a training's steps the charts show: all of them, or a window."""

from __future__ import annotations

_FEWEST = 8
"""Steps in the narrowest window."""


class Zoom:
    """A window over steps 1 to the newest; at the right end, it goes along with the training."""

    def __init__(self) -> None:
        self._width = 0
        self._last: int | None = None

    @property
    def zoomed(self) -> bool:
        """Whether not all steps are shown."""
        return self._width > 0

    def window(self, newest: int) -> tuple[int, int | None]:
        """Give the first and the last step shown; ``None`` for the newest, whichever that is."""
        if not self.zoomed:
            return 0, None
        last = newest if self._last is None else self._last
        return max(1, last - self._width + 1), self._last

    def by(self, nearer: int, newest: int, at: float | None = None) -> None:
        """Halve or double the window.

        Args:
            nearer: 1 to see half of it, -1 to see twice as much.
            newest: The newest step.
            at: Where to keep the step that is there now, from 0 at the left to 1 at the right;
                the middle, or the right end where the newest step is in sight.
        """
        if newest <= _FEWEST:
            return
        first, last = self.window(newest)
        first, end = max(first, 1), newest if last is None else last
        if at is None:
            at = 1.0 if end >= newest else 0.5
        width = end - first + 1
        wanted = max(_FEWEST, width // 2 if nearer > 0 else width * 2)
        if wanted >= newest:
            self.reset()
        else:
            self._place(round(end - (1 - at) * (width - wanted)), wanted, newest)

    def pan(self, right: int, newest: int) -> None:
        """Move the window by a quarter of its width, to the right or the left."""
        if self.zoomed:
            end = newest if self._last is None else self._last
            self._place(end + right * max(1, self._width // 4), self._width, newest)

    def reset(self) -> None:
        """Show all steps."""
        self._width, self._last = 0, None

    def _place(self, last: int, width: int, newest: int) -> None:
        """Set the window, within the steps there are."""
        self._width = width
        last = max(last, width)
        self._last = None if last >= newest else last
