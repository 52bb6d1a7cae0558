"""The command palette in the language that is spoken: Textual's own finds nothing in English."""

from __future__ import annotations

from rich.align import Align
from rich.text import Text
from textual import on
from textual.command import CommandList, CommandPalette
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from engine.language import tr


class Palette(CommandPalette):
    """Textual's palette, but it says in words that nothing was found, and takes one command only.

    Further Enters in the same burst are told when it is closed: they would close what is beneath.
    """

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _too_many(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        """Keep from Textual's palette what comes after the Enter that took a command."""
        if not self.is_active:
            event.prevent_default()

    def _start_no_matches_countdown(self, search_value: str) -> None:
        """Say after a while that nothing was found; without words there is nothing to say."""
        super()._start_no_matches_countdown(search_value)
        if search_value:
            self._stop_no_matches_countdown()
            seconds = self._NO_MATCHES_COUNTDOWN
            self._no_matches_timer = self.set_timer(seconds, self._say_no_match)

    def _say_no_match(self) -> None:
        """Say that nothing was found, as a line that cannot be chosen."""
        words = Align.center(Text(tr("No matches found"), style="not bold"))
        line = Option(words, disabled=True, id=self._NO_MATCHES)
        self.query_one(CommandList).add_option(line)
        self._list_visible = True
