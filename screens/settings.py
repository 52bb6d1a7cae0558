"""The settings: each with its sentence, checked, saved and followed at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.errors import LoraDeckError
from engine.files import size_of
from engine.language import mark, tr, trn
from engine.settings import ABOUT, save_settings
from engine.text import human_bytes, visible
from screens.base import DeckScreen, back_binding
from screens.format import one_line
from screens.layers import ask, open_above
from screens.messages import SettingsChanged
from screens.settings_words import Row, more_words, remark, rows_of
from screens.widgets.line_list import LineList
from screens.widgets.setting_list import SettingList

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.models.types import ModelInfo
    from screens.session import Session

KEYS = "keys"
HOME = "home"
_HOME_MEANING = mark(
    "Where tasks, adapters and models lie. Another one: export LORADECK_HOME=FOLDER"
)
_KEYS_MEANING = mark("Every key and what it does; Enter gives it another one.")
_ON_DISK = mark("What lies there takes this much of the disk.")
_FOLDERS = {"tasks": mark("Tasks"), "models": mark("Models"), "cache": mark("Cache")}


class SettingsScreen(DeckScreen[None]):
    """Shows the settings and changes them; the app follows what it is told of.

    Args:
        session: The dashboard's session.
        at: The setting to begin at.
    """

    HEADING = mark("Settings")
    CSS_PATH = "settings.tcss"
    AUTO_FOCUS = "SettingList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reset", "Reset", id="settings.reset",
                tooltip="Take your value back: the default comes again"),
        Binding("f2", "keys", "Keys", id="settings.keys", tooltip="See and change the keys"),
        back_binding("dismiss(None)"),
    ]  # fmt: skip

    table = query_one(SettingList)
    about = query_one("#about", Static)

    def __init__(self, session: Session, at: str = "") -> None:
        super().__init__(session)
        self._at = at
        self._now = session.settings
        self._sizes: dict[str, str] = {}
        self._saving = asyncio.Lock()

    def compose_body(self) -> ComposeResult:
        """Lay out the settings, and what is known of one."""
        yield SettingList(id="settings")
        yield Static(id="about", markup=False)

    def on_mount(self) -> None:
        """Show the settings as they are, then what the home takes of the disk."""
        self._show()
        self.table.cursor = self._at or self.table.cursor
        self._measure()

    def on_screen_resume(self) -> None:
        """Show the keys as they are now."""
        super().on_screen_resume()
        self._now = replace(self._now, keymap=self.session.settings.keymap)
        self._show()

    # Showing

    def _show(self) -> None:
        """Show all lines."""
        self.table.put([*rows_of(self._now), *self._home_rows(), self._keys_row()])
        self._describe()

    def _home_rows(self) -> list[Row]:
        """Give the home's lines, which tell and cannot be changed."""
        root = one_line(str(self.session.home.root))
        first = Row(HOME, tr("Folder"), root, tr(_HOME_MEANING), "told", section=tr("Home"))
        return [first, *(
            Row(name, tr(label), self._sizes.get(name, "…"), tr(_ON_DISK), "told")
            for name, label in _FOLDERS.items()
        )]  # fmt: skip

    def _keys_row(self) -> Row:
        """Give the line that leads to the keys."""
        own = len(self._now.keymap)
        words = trn("{count} of your own", "{count} of your own", own) if own else tr("as usual")
        return Row(KEYS, tr("Keys"), words, tr(_KEYS_MEANING), "opened",
                   "set" if own else "default", tr("Keys"))  # fmt: skip

    @on(LineList.Highlighted)
    def _describe(self) -> None:
        """Tell of the setting under the cursor."""
        row = self._row
        self.about.border_title = Content(row.label)
        lines = [Content(visible(row.meaning))]
        if row.key in ABOUT:
            lines.append(Content.styled(more_words(row.key), "$muted"))
        if row.key == HOME:
            lines.append(Content(row.value))
        if words := remark(row) if row.key in ABOUT else "":
            lines.append(Content.styled(words, "$text-warning"))
        self.about.update(Content("\n").join(lines))

    @property
    def _row(self) -> Row:
        """Give the line under the cursor."""
        return self.table.items[self.table.cursor or KEYS]

    @work(group="sizes", exclusive=True, exit_on_error=False)
    async def _measure(self) -> None:
        """Sum up what the home's folders hold."""
        for name in _FOLDERS:
            try:
                size = await asyncio.to_thread(size_of, getattr(self.session.home, name))
            except OSError:  # a file went while it was counted
                continue
            self._sizes[name] = human_bytes(size)
            self._show()

    # Changing

    @on(SettingList.Turned)
    def _turned(self, event: SettingList.Turned) -> None:
        """Take the next of a setting's values, or the one before."""
        if event.row.kind == "choice":
            choices = ABOUT[event.row.key].choices
            place = choices.index(getattr(self._now, event.row.key)) + event.by
            self._put(event.row, choices[place % len(choices)])

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        """Change the setting under the cursor, in the way of its kind."""
        row = self._row
        if row.state == "fixed":
            self._put(row, None)
        elif row.kind == "choice":
            self._turned(SettingList.Turned(row, 1))
        elif row.kind == "typed":
            self._type(row)
        elif row.key == "default_model":
            self._pick_model(row)
        elif row.key == "default_preset":
            self._pick_preset(row)
        elif row.kind == "opened":
            self.action_keys()

    @work(group="type", exclusive=True, exit_on_error=False)
    async def _type(self, row: Row) -> None:
        """Ask for a number."""
        from screens.setting_dialog import SettingDialog

        value = await ask(self, SettingDialog(row, getattr(self._now, row.key)))
        if value is not None:
            self._put(row, value)

    def _pick_model(self, row: Row) -> None:
        """Ask for a base model."""
        from screens.model_picker import ModelPicker

        def take(model: ModelInfo | None) -> None:
            if model is not None:
                self._put(row, model.name)

        open_above(self, ModelPicker(self.session), take)

    def _pick_preset(self, row: Row) -> None:
        """Ask for a preset, or for none."""
        from screens.preset_dialog import PresetDialog

        def take(name: str | None) -> None:
            if name is not None:
                self._put(row, name)

        open_above(self, PresetDialog(self._now.default_preset), take)

    def action_reset(self) -> None:
        """Take the value under the cursor back."""
        if self._row.key in ABOUT:
            self._put(self._row, None)

    def action_keys(self) -> None:
        """Open the keys."""
        from screens.keys import KeysScreen

        open_above(self, KeysScreen(self.session))

    def _put(self, row: Row, value: Any) -> None:
        """Take a value, ``None`` for the default, and save it; the environment's stays."""
        if row.state == "fixed":
            self.notify(remark(row), severity="warning", markup=False)
            return
        now = ABOUT[row.key].default if value is None else value
        self._now = replace(self._now, **{row.key: now})
        self._show()
        self._save({row.key: None if now == ABOUT[row.key].default else now})

    @work(group="save", exit_on_error=False)
    async def _save(self, changes: dict[str, Any]) -> None:
        """Save one change after the other; where it fails, what is shown is what is saved."""
        try:
            async with self._saving:
                now = await asyncio.to_thread(save_settings, self.session.home, changes)
        except LoraDeckError:
            self._now = self.session.settings
            self._show()
            raise
        self.app.post_message(SettingsChanged(now))
