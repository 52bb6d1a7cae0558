"""Enters that were typed before what they are meant for was there: each counts, in its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.language import tr

if TYPE_CHECKING:
    from textual.screen import Screen


class TypedAhead:
    """Counts Enters on the way to a start, while a list is asked for or a plan is made."""

    def __init__(self) -> None:
        self._count = 0

    def keep(self, screen: Screen[Any]) -> None:
        """Keep an Enter for the step after this one, and say so where it is the first."""
        if not self._count:
            screen.notify(tr("Enter counts once this is done; esc takes it back."), markup=False)
        self._count += 1

    def take(self) -> bool:
        """Use one up, where there is one."""
        if not self._count:
            return False
        self._count -= 1
        return True

    def forget(self) -> None:
        """Drop them: something else was wanted, or it does not go on."""
        self._count = 0
