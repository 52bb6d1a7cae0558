"""What can be done with a model or an adapter that was found, as a menu."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one

from screens.format import one_line
from screens.layers import Dialog
from screens.widgets.keys_line import KeysLine
from screens.widgets.line_list import LineList
from screens.widgets.menu import Menu

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult


class FoundDialog(Dialog[str | None]):
    """Answers with the name of an action.

    Args:
        name: What it is to be done with.
        offered: The actions, by name, in words.
    """

    CSS_PATH = "found_dialog.tcss"
    AUTO_FOCUS = "Menu"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Back", key_display="esc", id="menu.back",
                tooltip="Do nothing"),
    ]  # fmt: skip

    menu = query_one(Menu)

    def __init__(self, name: str, offered: Mapping[str, str]) -> None:
        super().__init__()
        self._called, self._offered = name, dict(offered)

    def compose(self) -> ComposeResult:
        """Lay out the menu."""
        with Vertical(classes="dialog") as box:
            box.border_title = Content(one_line(self._called))
            yield Menu(id="menu")
            yield KeysLine()

    def on_mount(self) -> None:
        """List the actions."""
        self.menu.styles.height = len(self._offered)
        self.menu.show(self._offered)

    @on(LineList.Chosen)
    def _chosen(self, event: LineList.Chosen) -> None:
        """Answer."""
        self.dismiss(event.key)
