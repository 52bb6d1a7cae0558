"""One of the three choices that a training takes, as a row that can be opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from engine.language import mark, tr
from engine.text import visible
from screens.format import fitted, one_line, packed

if TYPE_CHECKING:
    from textual import events
    from textual.geometry import Size

State = Literal["open", "working", "chosen", "problem"]
SIGNS: dict[State, tuple[str, str, str]] = {
    "open": ("○", mark("to choose"), "$muted"),
    "working": ("○", mark("reading…"), "$muted"),
    "chosen": ("●", mark("chosen"), "$text-success"),
    "problem": ("✗", mark("problem"), "$text-error"),
}
_LABEL = 9


def labelled(label: str, glyph: str, style: str) -> Content:
    """Begin a step's line: its state as a sign, and what it is about."""
    return Content.assemble((f"{glyph} ", style), (fitted(label, _LABEL), "$muted"))


class StepRow(Widget, can_focus=True):
    """A step's state by glyph and word, what was chosen, and a problem in words beneath."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "open", "Choose", show=False, id="step.open",
                tooltip="Open the list to choose from"),
    ]  # fmt: skip

    DEFAULT_CSS = """
    StepRow { height: auto; padding: 0 1; }
    StepRow:hover { background: $foreground 5%; }
    StepRow:focus { background: $primary 16%; }
    """

    state: reactive[State] = reactive("open", layout=True)
    words: reactive[str] = reactive("", layout=True)
    detail: reactive[str] = reactive("", layout=True)
    problem: reactive[str] = reactive("", layout=True)
    notes: reactive[tuple[Content, ...]] = reactive((), layout=True)
    """What is to be known of the choice, beneath it."""

    @dataclass
    class Opened(Message):
        """The row was entered, by Enter or by the mouse."""

        row: StepRow

        @property
        def control(self) -> StepRow:
            """The row."""
            return self.row

    def __init__(self, label: str, invitation: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._label = label
        self._invitation = invitation

    def put(
        self,
        state: State,
        words: str = "",
        detail: str = "",
        problem: str = "",
        notes: tuple[Content, ...] = (),
    ) -> None:
        """Show a state."""
        self.state, self.words, self.detail = state, words, detail
        self.problem, self.notes = problem, notes

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Count one line, and those that the problem takes."""
        return self._drawn(width).get_height({}, max(width, 1))

    def render(self) -> Content:
        """Draw the row."""
        return self._drawn(self.content_size.width)

    def _drawn(self, width: int) -> Content:
        """Draw the row for a width."""
        glyph, word, style = SIGNS[self.state]
        label = labelled(self._label, glyph, style)
        word = tr(word)
        room = max(width - label.cell_length - cell_len(word) - 1, 0)
        value = self._value().truncate(room, ellipsis=True)
        gap = " " * (room - value.cell_length + 1)
        lines = [Content.assemble(label, value, gap, (word, style))]
        indent = " " * label.cell_length
        notes = packed(self.notes, width - label.cell_length, " · ")
        lines += [Content.assemble(indent, line) for line in notes]
        if self.problem:
            problem = Content.styled(visible(self.problem), "$text-error")
            broken = problem.wrap(max(width - label.cell_length, 1))
            lines += [Content.assemble(indent, line) for line in broken]
        return Content("\n").join(lines)

    def _value(self) -> Content:
        """Draw what was chosen, or how to choose."""
        if not self.words:
            return Content.styled(self._invitation, "$muted")
        return Content.assemble(
            (one_line(self.words), "bold"),
            (f"  {one_line(self.detail)}" if self.detail else "", "$muted"),
        )

    def action_open(self) -> None:
        """Ask for the choice."""
        self.post_message(self.Opened(self))

    def on_click(self, event: events.Click) -> None:
        """Ask for the choice."""
        event.stop()
        self.action_open()
