"""A label and an input field in one line, as a form has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from screens.widgets.field import Field


class FieldRow(Horizontal):
    """A field behind its label, in line with the form's choices."""

    DEFAULT_CSS = """
    FieldRow { height: 1; width: 1fr; }
    FieldRow .name { width: 16; color: $muted; }
    FieldRow Field { width: 1fr; }
    """

    def __init__(self, label: str, field: Field) -> None:
        super().__init__()
        self._label, self._field = label, field

    def compose(self) -> ComposeResult:
        """Lay out label and field."""
        yield Static(self._label, markup=False, classes="name")
        yield self._field
