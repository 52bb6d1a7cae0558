"""Giving an action another key: the next key that is pressed, where it is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.language import tr
from engine.text import visible
from screens.layers import Dialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult


class KeyDialog(Dialog[str | None]):
    """Answers with the key that was pressed, or with nothing for the escape key.

    Args:
        name: The action's id.
        words: What it does.
        refusal: Says why a key cannot be had; empty where it can.
    """

    CSS_PATH = "value_dialog.tcss"

    told = query_one("#told", Static)

    def __init__(self, name: str, words: str, refusal: Callable[[str], str]) -> None:
        super().__init__()
        self._called, self._words, self._refusal = name, words, refusal

    def compose(self) -> ComposeResult:
        """Lay out what the key is for, and what is wrong with one."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self._called)
            yield Static(self._words, markup=False, classes="label")
            yield Static(tr("Press the key; esc leaves it as it is."), markup=False)
            yield Static(id="told", markup=False)

    def on_key(self, event: events.Key) -> None:
        """Take the key, or say why it cannot be had."""
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss(None)
        elif words := self._refusal(event.key):
            self.told.update(Content.styled(f"✗ {visible(words)}", "$text-error"))
        else:
            self.dismiss(event.key)
