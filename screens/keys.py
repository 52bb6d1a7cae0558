"""The keys: what each does, on every screen, and the user's own in their place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.language import mark, tr
from engine.settings import KEYMAP, save_settings
from screens.base import DeckScreen, back_binding
from screens.keymap import STAYING, Registry, registry_of
from screens.layers import ask
from screens.messages import SettingsChanged
from screens.widgets.key_list import KeyList, key_rows
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

    from screens.session import Session


class KeysScreen(DeckScreen[None]):
    """Lists every action and its keys, and gives it others; the app follows what it is told of."""

    HEADING = mark("Keys")
    CSS_PATH = "keys.tcss"
    AUTO_FOCUS = "KeyList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reset", "Reset", id="keys.reset",
                tooltip="Take your own key back: those that the action has by itself come again"),
        Binding("R", "reset_all", "Reset all", id="keys.reset_all",
                tooltip="Take all your own keys back"),
        back_binding("dismiss(None)"),
    ]  # fmt: skip

    table = query_one(KeyList)
    about = query_one("#about", Static)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._registry: Registry | None = None
        self._keymap = dict(session.settings.keymap)

    def compose_body(self) -> ComposeResult:
        """Lay out the keys, and what is known of one."""
        yield KeyList(tr("Looking at all screens…"), id="keys")
        yield Static(id="about", markup=False)

    def on_mount(self) -> None:
        """Look at all screens."""
        self._look()

    @work(group="keys", exclusive=True, exit_on_error=False)
    async def _look(self) -> None:
        """Read the keys of all screens, which have to be imported for that."""
        self._registry = await asyncio.to_thread(registry_of, type(self.app))
        self._show()

    def _show(self) -> None:
        """Show all keys."""
        if self._registry is not None:
            self.table.put(key_rows(self._registry, self._keymap))
            self._describe()

    @on(LineList.Highlighted)
    def _describe(self) -> None:
        """Tell of the action under the cursor."""
        if self.table.cursor is None:
            return
        row = self.table.items[self.table.cursor]
        self.about.border_title = Content(row.id)
        usual = tr("{keys} by itself", keys=row.usual)
        self.about.update(Content("\n").join([Content(row.words), Content.styled(usual, "$muted")]))

    @on(LineList.Chosen)
    @work(group="key", exclusive=True, exit_on_error=False)
    async def _ask(self, event: LineList.Chosen) -> None:
        """Ask for a key, and take it where it is free."""
        from screens.key_dialog import KeyDialog

        if (registry := self._registry) is None:
            return
        name = event.key
        others = {action: keys for action, keys in self._keymap.items() if action != name}
        dialog = KeyDialog(name, tr(registry.actions[name].words),
                           lambda key: registry.refusal(name, key, others))  # fmt: skip
        if key := await ask(self, dialog):
            await self._put({name: key})

    @work(group="key", exit_on_error=False)
    async def action_reset(self) -> None:
        """Take the key under the cursor back, where the action's own are free."""
        name = self.table.cursor
        if self._registry is None or name not in self._keymap:
            return
        letters = [key for key in self._registry.actions[name].keys if key not in STAYING]
        taken = (self._registry.refusal(name, key, self._keymap) for key in letters)
        if words := next(filter(None, taken), ""):
            self.notify(words, severity="warning", markup=False)
        else:
            await self._put({name: None})

    @work(group="key", exit_on_error=False)
    async def action_reset_all(self) -> None:
        """Take all keys back."""
        if self._keymap:
            await self._put(dict.fromkeys(self._keymap))

    async def _put(self, changes: Mapping[str, str | None]) -> None:
        """Save other keys; they are so at once."""
        now = await asyncio.to_thread(save_settings, self.session.home, {KEYMAP: changes})
        self._keymap = dict(now.keymap)
        self._show()
        self.app.post_message(SettingsChanged(now))
