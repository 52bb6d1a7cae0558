"""Choosing a named preset for the plan to start from, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.language import listed, mark, tr
from engine.plan.presets import PRESETS
from screens.format import one_line
from screens.layers import Dialog
from screens.parameters import value_words
from screens.widgets.keys_line import KeysLine
from screens.widgets.line_list import LineList
from screens.widgets.option_list import Option, OptionList

if TYPE_CHECKING:
    from textual.app import ComposeResult

_NONE = ""
_OWN = mark("Every value follows from your data, the model and this machine.")


class PresetDialog(Dialog[str | None]):
    """Answers with a preset's name; empty for none of them."""

    CSS_PATH = "value_dialog.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Back", key_display="esc", id="preset.back",
                tooltip="Change nothing"),
    ]  # fmt: skip

    table = query_one(OptionList)

    def __init__(self, now: str) -> None:
        super().__init__()
        self._now = now
        self._presets = {preset.name: preset for preset in PRESETS}

    def compose(self) -> ComposeResult:
        """Lay out the presets, and what the one under the cursor sets."""
        with Vertical(classes="dialog") as box:
            box.border_title = tr("Start from a preset")
            words = tr("Its values go before the rules, and your own before both.")
            yield Static(words, markup=False, classes="label")
            yield OptionList(id="presets")
            yield Static(id="told", markup=False)
            yield KeysLine()

    def on_mount(self) -> None:
        """List the presets, with the cursor on the present one."""
        names = [_NONE, *self._presets]
        self.table.styles.height = len(names)
        self.table.show(
            {
                name: Option(name or tr("none"), self._brief(name), name == self._now)
                for name in names
            }
        )
        self.table.cursor = self._now

    def _brief(self, name: str) -> str:
        """Say how many values a preset sets."""
        preset = self._presets.get(name)
        if preset is None:
            return tr("sets nothing")
        return tr("sets {values} values", values=len(preset.values))

    @on(LineList.Highlighted)
    def _describe(self) -> None:
        """Tell what the preset under the cursor is."""
        preset = self._presets.get(self.table.cursor or "")
        words = [Content(one_line(tr(preset.description)) if preset else tr(_OWN))]
        if preset is not None:
            pairs = (f"{key} {value_words(value)}" for key, value in preset.values.items())
            words.append(Content.styled(listed(pairs), "$muted"))
        self.query_one("#told", Static).update(Content("\n").join(words))

    @on(LineList.Chosen)
    def _take(self) -> None:
        """Answer with the preset under the cursor."""
        self.dismiss(self.table.cursor)
