"""Screens above one another, such that keys in one burst neither open two nor close two.

A list or a button tells its screen by a message that it was chosen. Two Enters in one chunk send
two of them before the first is heard: the second one is for a screen that is on top no more.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen, ScreenResultType

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.widget import Widget

Answer = TypeVar("Answer")


def open_above(
    opener: Widget, screen: Screen[Answer], take: Callable[[Answer | None], None] | None = None
) -> None:
    """Show a screen above the opener's own, unless that is on top no more."""
    if opener.screen.is_active:
        opener.app.push_screen(screen, take)


async def ask(asker: Widget, screen: Screen[Answer]) -> Answer | None:
    """Give what a screen answers; ``None`` where the asker's own is on top no more.

    Asked from a worker, which may be cancelled without that the screen goes.
    """
    if not asker.screen.is_active:
        return None
    return await asyncio.shield(asker.app.push_screen(screen, wait_for_dismiss=True))


class Layer(Screen[ScreenResultType]):
    """Any screen of ours: it closes itself, and never what lies above or beneath it."""

    _closes_later: Callable[[], object] | None = None
    """How it is to close once it is on top again."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close; not again where it is closed already, and later where another one lies above."""
        if self.is_active:
            return super().dismiss(result)
        if self in self.app.screen_stack:
            self._closes_later = partial(self.dismiss, result)
        return AwaitComplete()

    def on_screen_resume(self) -> None:
        """Close where that was to be done meanwhile."""
        if (close := self._closes_later) is not None:
            self._closes_later = None
            close()


class Dialog(ModalScreen[ScreenResultType], Layer[ScreenResultType]):
    """A screen that lets the one beneath it shine through, and takes all keys."""
