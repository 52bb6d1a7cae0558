"""Every parameter of a plan in groups: value, reason, source; the user's own marked by a sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.text import Text
from textual.binding import Binding, BindingType

from engine.language import tr
from screens.format import fitted, one_line, widest
from screens.parameters import GROUPS, value_words
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from engine.plan.types import Choice, Plan
    from screens.next_plan import NextPlan

State = Literal["planned", "set", "refused"]
MARKS: dict[State, tuple[str, str]] = {
    "planned": ("  ", "plain"), "set": ("✎ ", "warn"), "refused": ("✗ ", "bad"),
}  # fmt: skip
_NAME = 29
_VALUE = 13
_WIDE_VALUE = 22
_SOURCE = 18
_WIDE = 90  # cells in which the source has room as well


@dataclass(frozen=True)
class Parameter:
    """A line of the list."""

    key: str
    value: str
    reason: str
    source: str
    state: State
    group: str
    """The heading above it; empty but for the first of a group."""


class ParameterList(LineList["Parameter"]):
    """The parameters; a group's heading belongs to its first line, but not to the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Change", key_display="enter", id="plan.change",
                tooltip="Set the value yourself"),
    ]  # fmt: skip

    _value_width = _VALUE

    def put(self, made: NextPlan, known: Plan | None) -> None:
        """Show a plan; while there is none, the values of the one before."""
        items = parameters(made, known)
        self._value_width = widest([one.value for one in items])
        self.show({one.key: one for one in items})

    def height_of(self, item: Parameter) -> int:
        """Count a line, and a group's heading."""
        return 2 if item.group else 1

    def head_of(self, item: Parameter) -> int:
        """Leave the heading unmarked."""
        return 1 if item.group else 0

    def lines_of(self, item: Parameter, width: int) -> list[Text]:
        """Draw a parameter, below its group's heading."""
        wide = width >= _WIDE
        sign, tone = MARKS[item.state]
        style = self.tone(tone)
        value = fitted(item.value, min(self._value_width, _WIDE_VALUE if wide else _VALUE))
        line = Text.assemble((sign, style), fitted(item.key, _NAME), (value, style), "  ")
        room = width - line.cell_len - (_SOURCE if wide else 0)
        line.append(fitted(one_line(item.reason), room), self.tone("dim"))
        if wide:
            line.append(" " + fitted(one_line(item.source), _SOURCE - 1), self.tone("dim"))
        heading = [Text(item.group, self.tone("run"))] if item.group else []
        return [*heading, line]


def parameters(made: NextPlan, known: Plan | None) -> list[Parameter]:
    """List every parameter of a plan, or what the user set where there is none."""
    choices = known.choices if known else {}
    return [
        _parameter(key, choices.get(key), made, tr(title) if key == keys[0] else "")
        for title, keys in GROUPS.items()
        for key in keys
    ]


def _parameter(key: str, choice: Choice | None, made: NextPlan, group: str) -> Parameter:
    """Make a line; what the user set goes before what an earlier plan had."""
    if key not in made.wishes.overrides:
        if choice is None or choice.overridden:
            return Parameter(key, "–", "", "", "planned", group)
        words = value_words(choice.value)
        return Parameter(key, words, choice.reason, choice.source, "planned", group)
    value = made.wishes.overrides[key]
    state: State = "refused" if key in made.refused else "set"
    same = choice is not None and choice.overridden and choice.value == value
    reason = choice.reason if choice is not None and same else tr("set by you")
    reason = tr("refused: r takes it back") if state == "refused" else reason
    return Parameter(key, value_words(value), reason, "", state, group)
