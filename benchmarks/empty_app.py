"""A Textual app with a header, a table and a footer, and nothing in them, to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.widgets import DataTable, Footer, Header

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class EmptyApp(App[None]):
    """Header, table and footer."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Header()
        yield DataTable()
        yield Footer()


if __name__ == "__main__":
    EmptyApp().run()
