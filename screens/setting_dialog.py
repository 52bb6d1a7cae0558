"""Typing one setting's value: it is checked while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static

from engine.language import tr
from engine.settings import ABOUT
from engine.text import visible
from screens.layers import Dialog
from screens.settings_words import remark
from screens.widgets.field import Field
from screens.widgets.keys_line import KeysLine

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from screens.settings_words import Row


class SettingDialog(Dialog[Any]):
    """Answers with a value that the setting takes, or with nothing where it stays.

    Args:
        row: The setting.
        value: As it is now.
    """

    CSS_PATH = "value_dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Take it", key_display="enter", id="setting.take",
                tooltip="Set this value"),
        Binding("escape", "dismiss(None)", "Back", key_display="esc", id="setting.back",
                tooltip="Leave the value as it is"),
    ]  # fmt: skip

    field = query_one(Field)
    told = query_one("#told", Static)

    def __init__(self, row: Row, value: Any) -> None:
        super().__init__()
        self._row, self._value = row, value

    def compose(self) -> ComposeResult:
        """Lay out meaning, value, and what is wrong with it."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self._row.label)
            yield Static(self._row.meaning, markup=False, classes="label")
            yield Field(id="value")
            yield Static(id="told", markup=False)
            yield KeysLine()

    def on_mount(self) -> None:
        """Show the value as it is."""
        self.field.value = f"{self._value:g}"
        self.field.action_select_all()

    @on(Input.Changed)
    def _read(self) -> Any:
        """Read the value; what it takes is said beneath, and what is wrong with it."""
        known = ABOUT[self._row.key]
        try:
            value = known.read(self.field.value)
        except ValueError as error:
            self.told.update(Content.styled(f"✗ {visible(str(error))}", "$text-error"))
            return None
        words = tr("takes {values}", values=known.range_words())
        self.told.update(Content.styled(f"{words}\n{remark(self._row)}".rstrip(), "$muted"))
        return value

    @on(Input.Submitted)
    def action_take(self) -> None:
        """Answer with the value, where it will do."""
        value = self._read()
        if value is not None:
            self.dismiss(value)
