"""Every action with its keys, by the ids that the settings' file knows them by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from engine.language import tr
from screens.format import fitted, one_line, widest
from screens.keymap import shown
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from collections.abc import Mapping

    from screens.keymap import Registry

_KEYS = 12
_WIDE_KEYS = 22
_WIDE = 100  # cells in which all keys of an action have room


@dataclass(frozen=True)
class KeyRow:
    """A line of the list."""

    id: str
    keys: str
    usual: str
    words: str
    own: bool


class KeyList(LineList["KeyRow"]):
    """Actions, a line each; those with keys of the user's own are marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Change", key_display="enter", id="key.change",
                tooltip="Give the action under the cursor another key"),
    ]  # fmt: skip

    _name_width = 0

    def put(self, rows: Mapping[str, KeyRow]) -> None:
        """Show all actions."""
        self._name_width = widest(list(rows)) + 4
        self.show(rows)

    def lines_of(self, item: KeyRow, width: int) -> list[Text]:
        """Draw an action."""
        mark, tone = ("✎ ", "warn") if item.own else ("  ", "plain")
        style = self.tone(tone)
        place, dot, name = item.id.partition(".")
        line = Text.assemble((mark, style), (place + dot, self.tone("dim")), (name, style))
        line.truncate(self._name_width, pad=True)
        line.append(fitted(item.keys, _WIDE_KEYS if width >= _WIDE else _KEYS) + "  ", style)
        line.append(fitted(one_line(item.words), width - line.cell_len), self.tone("dim"))
        return [line]


def key_rows(registry: Registry, keymap: Mapping[str, str]) -> dict[str, KeyRow]:
    """List every action with its keys as they are now."""
    return {
        name: KeyRow(
            name,
            " ".join(map(shown, registry.keys_of(name, keymap))),
            " ".join(map(shown, action.keys)),
            tr(action.words),
            name in keymap,
        )
        for name, action in sorted(registry.actions.items())
    }
