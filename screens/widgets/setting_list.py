"""The settings in sections: a line each, with its value and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message

from screens.format import fitted, one_line, widest
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from screens.settings_words import Row, State

MARKS: dict[State, tuple[str, str]] = {
    "default": ("  ", "plain"), "set": ("✎ ", "warn"), "fixed": ("■ ", "dim"),
}  # fmt: skip
_VALUE = 26


class SettingList(LineList["Row"]):
    """Settings; a section's heading belongs to its first line, but not to the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "turn(1)", "Turn", key_display="←→", id="setting.next",
                tooltip="Take the next value"),
        Binding("left,h", "turn(-1)", "Before", show=False, id="setting.before",
                tooltip="Take the value before"),
        Binding("enter", "choose", "Change", key_display="enter", id="setting.change",
                tooltip="Change what stands under the cursor"),
    ]  # fmt: skip

    @dataclass
    class Turned(Message):
        """The user wants the next value, or the one before."""

        row: Row
        by: int

    _label_width = _value_width = 0

    def put(self, rows: list[Row]) -> None:
        """Show settings, with columns as wide as they need."""
        self._label_width = widest([row.label for row in rows]) + 2
        values = [row.value for row in rows if row.kind != "told"]
        self._value_width = min(widest(values) + 4, _VALUE)
        self.show({row.key: row for row in rows})

    def height_of(self, item: Row) -> int:
        """Count a line, and a section's heading."""
        return 2 if item.section else 1

    def head_of(self, item: Row) -> int:
        """Leave the heading unmarked."""
        return 1 if item.section else 0

    def lines_of(self, item: Row, width: int) -> list[Text]:
        """Draw a setting, below its section's heading."""
        mark, tone = MARKS[item.state]
        style = self.tone(tone)
        value = f"‹ {item.value} ›" if item.kind == "choice" else f"  {item.value}"
        line = Text.assemble((mark, style), fitted(item.label, self._label_width))
        line.append(fitted(value, self._value_width), style)
        line.append("  " + fitted(one_line(item.meaning), width - line.cell_len - 2),
                    self.tone("dim"))  # fmt: skip
        heading = [Text(item.section, self.tone("run"))] if item.section else []
        return [*heading, line]

    def action_turn(self, by: int) -> None:
        """Ask for another value."""
        if self.cursor is not None:
            self.post_message(self.Turned(self.items[self.cursor], by))
