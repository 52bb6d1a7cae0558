"""A line that holds one of several values, changed by the arrow keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from screens.format import fitted, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

_LABEL = 14
NONE = "–"


class ChoiceRow(Widget, can_focus=True):
    """A label and a value between two arrows; the empty value stands as a dash."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,space", "turn(1)", "Next", key_display="←→", id="choice.next",
                tooltip="Next value"),
        Binding("left,h", "turn(-1)", "Before", show=False, id="choice.before",
                tooltip="Value before"),
    ]  # fmt: skip

    DEFAULT_CSS = """
    ChoiceRow { height: 1; width: 1fr; }
    ChoiceRow:focus { background: $primary 16%; }
    """

    value: reactive[str] = reactive("")

    @dataclass
    class Turned(Message):
        """The user took another value."""

        row: ChoiceRow

        @property
        def control(self) -> ChoiceRow:
            """The row."""
            return self.row

    def __init__(
        self,
        label: str,
        values: Sequence[str],
        value: str = "",
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self.label = label
        self.values = list(values)
        self.set_reactive(ChoiceRow.value, value)

    def render(self) -> Content:
        """Draw the row."""
        shown = one_line(self.value) or NONE
        style = "bold" if self.value else "$muted"
        return Content.assemble(
            (fitted(self.label, _LABEL), "$muted"),
            ("‹ ", "$muted"),
            (shown, style),
            (" ›", "$muted"),
        ).truncate(self.content_size.width, ellipsis=True)

    def action_turn(self, by: int) -> None:
        """Take the next value, or the one before."""
        known = self.values.index(self.value) if self.value in self.values else -by
        if self.values:
            self.value = self.values[(known + by) % len(self.values)]
            self.post_message(self.Turned(self))

    def on_click(self, event: events.Click) -> None:
        """Take the next value."""
        event.stop()
        self.action_turn(1)
