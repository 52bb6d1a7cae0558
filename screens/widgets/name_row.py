"""The third step: the task's name, suggested and editable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Input, Static

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import visible
from screens.format import refusal_words
from screens.widgets.field import NameField
from screens.widgets.step_row import SIGNS, State, labelled

if TYPE_CHECKING:
    from textual.app import ComposeResult


class NameRow(Vertical):
    """The name's state by glyph and word, its field, and a problem in words beneath."""

    DEFAULT_CSS = """
    NameRow { height: auto; padding: 0 1; }
    NameRow Horizontal { height: 1; }
    NameRow #name-label { width: auto; height: 1; }
    NameRow #name-state { width: auto; height: 1; padding-left: 1; }
    NameRow Field { width: 1fr; }
    NameRow #name-problem { display: none; height: auto; color: $text-error; }
    NameRow.-problem #name-problem { display: block; }
    """

    field = query_one(NameField)

    class Changed(Message):
        """The name is another, or can be used now, or no longer."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.problem = ""
        self._suggested = ""
        self._refused = ""

    def compose(self) -> ComposeResult:
        """Lay out label, field and state."""
        with Horizontal():
            yield Static(id="name-label", markup=False)
            yield NameField(tr("suggested when both are chosen"), id="name-field")
            yield Static(id="name-state", markup=False)
        yield Static(id="name-problem", markup=False)

    def on_mount(self) -> None:
        """Show the state."""
        self._show()

    @property
    def value(self) -> str:
        """The name as it stands."""
        return self.field.value

    @property
    def given(self) -> str:
        """The name that the user gave; empty where it was suggested."""
        return "" if self.value == self._suggested else self.value

    def suggest(self, name: str) -> None:
        """Put a name in, unless the user gave one."""
        erased = not self.value and self.field.has_focus
        if not (erased or self.given or self._refused or name == self.value):
            self._suggested = name
            self.field.value = name

    def forget(self) -> None:
        """Be empty again, for the next training."""
        self._suggested = self._refused = ""
        self.field.value = ""

    def refuse(self, words: str) -> None:
        """Say why the engine did not take this name."""
        self._refused, self.problem = self.value, words
        self._show()

    @on(Input.Changed)
    def _look(self, event: Input.Changed) -> None:
        """Check the name as it is typed."""
        event.stop()
        if self.value != self._refused:
            self._refused = ""
            self.problem = _problem_of(self.value)
        self._show()
        self.post_message(self.Changed())

    def _show(self) -> None:
        """Show the state."""
        state: State = "problem" if self.problem else "chosen" if self.value else "open"
        glyph, word, style = SIGNS[state]
        word = tr("to give") if state == "open" else tr(word)
        self.query_one("#name-label", Static).update(labelled(tr("Name"), glyph, style))
        self.query_one("#name-state", Static).update(Content.styled(word, style))
        self.query_one("#name-problem", Static).update(visible(self.problem))
        self.set_class(bool(self.problem), "-problem")


def _problem_of(name: str) -> str:
    """Say what is wrong with a name; nothing about an empty one, which is still to come."""
    from engine.tasks.record import check_task_name

    if not name:
        return ""
    try:
        check_task_name(name)
    except LoraDeckError as error:
        return refusal_words(error)
    return ""
