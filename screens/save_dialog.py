"""Saving a new version of a dataset under a name that is proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static

from engine.errors import LoraDeckError
from engine.language import tr
from engine.server.wire import DatasetInfo
from engine.text import visible
from screens.format import refusal_words
from screens.layers import Dialog
from screens.widgets.field import Field
from screens.widgets.keys_line import KeysLine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult


class SaveDialog(Dialog[DatasetInfo | None]):
    """Answers with what was saved; a name that cannot be used is said beneath it."""

    CSS_PATH = "save_dialog.tcss"
    AUTO_FOCUS = "Field"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "save", "Save", key_display="enter", id="save.save",
                tooltip="Save the new version"),
        Binding("escape", "back", "Back", key_display="esc", id="save.back",
                tooltip="Back without saving"),
    ]  # fmt: skip

    field = query_one(Field)

    def __init__(self, name: str, rows: int, save: Callable[[str], Awaitable[DatasetInfo]]) -> None:
        super().__init__()
        self._proposed, self._rows, self._save = name, rows, save
        self._saving = False

    def compose(self) -> ComposeResult:
        """Lay out name and words."""
        with Vertical(classes="dialog") as box:
            box.border_title = tr("Save as a new version")
            words = tr(
                "All {rows} rows go to a new file in LoRADeck's own folder. "
                "Your file stays as it is.",
                rows=f"{self._rows:,}",
            )
            yield Static(words, markup=False, classes="label")
            yield Field(tr("name"), id="name")
            yield Static(id="problem", markup=False)
            yield KeysLine()

    def on_mount(self) -> None:
        """Propose the name."""
        self.field.value = self._proposed
        self.field.action_end()

    @on(Input.Submitted)
    def action_save(self) -> None:
        """Save, unless that is being done."""
        if not self._saving:
            self._saving = True
            self._say(tr("Saving…"), "$muted")
            self._write(self.field.value.strip())

    @work(group="save", exclusive=True, exit_on_error=False)
    async def _write(self, name: str) -> None:
        """Save and answer, or say what stands in the way."""
        try:
            self.dismiss(await self._save(name))
        except LoraDeckError as error:
            self._say(f"✗ {refusal_words(error)}", "$text-error")
        finally:
            self._saving = False

    def _say(self, words: str, style: str) -> None:
        """Show words beneath the name."""
        self.query_one("#problem", Static).update(Content.styled(visible(words), style))

    def action_back(self) -> None:
        """Go back; a save that has begun is waited for."""
        if not self._saving:
            self.dismiss(None)
