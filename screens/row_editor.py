"""Editing one row, with what the model gets of it beside: it follows as one types."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static, TextArea

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import json_text, visible
from screens.base import DeckScreen
from screens.dialogs import ConfirmDialog
from screens.format import refusal_words
from screens.layers import ask
from screens.outside import edited_outside
from screens.rendering import show_value
from screens.row_text import Part, parsed_row, parts_of, with_texts
from screens.widgets.edit_area import EditArea
from screens.widgets.row_view import RowView

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.data.types import Shape
    from screens.session import Session

LIVE_SECONDS = 0.15  # seconds that the typing rests before the row is rendered anew


class RowEditor(DeckScreen["dict[str, Any] | None"]):
    """Answers with the row's new value, or with nothing where it stays as it was."""

    CSS_PATH = ["dataset.tcss", "row_editor.tcss"]  # noqa: RUF012 - the base declares the type
    AUTO_FOCUS = "EditArea"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "keep", "Keep", id="editor.keep", tooltip="Keep the row as it stands here"),
        Binding("f3", "other_form", "JSON or fields", id="editor.form",
                tooltip="Edit the whole row as JSON, or field by field again"),
        Binding("f4", "outside", "$EDITOR", id="editor.outside",
                tooltip="Edit the row as JSON in your own editor ($EDITOR)"),
        Binding("tab", "app.focus_next", "Next field", id="editor.next", tooltip="Next field"),
        Binding("shift+tab", "app.focus_previous", "Field before", show=False,
                id="editor.previous", tooltip="Field before"),
        Binding("escape", "back", "Back", key_display="esc", id="editor.back",
                tooltip="Back to the rows without a change"),
    ]  # fmt: skip

    view = query_one(RowView)
    fields = query_one("#fields", VerticalScroll)

    def __init__(
        self,
        session: Session,
        value: dict[str, Any],
        shape: Shape,
        *,
        number: int | None,
        length: int | None = None,
    ) -> None:
        super().__init__(session)
        self._before, self._value = value, value
        self._shape, self._number, self._length = shape, number, length
        self._parts: list[Part] | None = parts_of(value) or None

    @property
    def unsaved(self) -> bool:
        """Tell whether the row was changed."""
        try:
            return self._written() != self._before
        except LoraDeckError:
            return True

    def heading(self) -> str:
        """Name the row."""
        if self._number is None:
            return tr("Edit new row")
        return tr("Edit row {number}", number=f"{self._number:,}")

    def compose_body(self) -> ComposeResult:
        """Lay out fields and row."""
        with Container(id="panes"):
            yield VerticalScroll(*self._areas(), id="fields", can_focus=False)
            view = RowView(id="row")
            view.border_title = tr("What the model gets")
            yield view
        with Horizontal(id="state"):
            yield Static(id="problem", markup=False)

    def on_mount(self) -> None:
        """Show the row."""
        new, number = self._number is None, f"{self._number or 1:,}"
        title = tr("New row") if new else tr("Row {number}", number=number)
        self.fields.border_title = Content(title)
        self._follow()

    def _areas(self) -> list[EditArea]:
        """Make the areas of the present form."""
        if self._parts is None:
            area = EditArea("JSON", json_text(self._value, 2))
            area.add_class("-whole")
            return [area]
        return [EditArea(part.label, part.text) for part in self._parts]

    # Reading what was written

    def _written(self) -> dict[str, Any]:
        """Read the row as it stands in the areas.

        Raises:
            LoraDeckError: Some of it is no valid JSON.
        """
        texts = [area.text for area in self.query(EditArea)]
        if self._parts is None:
            return parsed_row(texts[0])
        return with_texts(self._value, self._parts, texts)

    def _checked(self) -> dict[str, Any] | None:
        """Read the row, or say what is wrong with it."""
        problem = ""
        value = None
        try:
            value = self._written()
        except LoraDeckError as error:
            problem = f"✗ {refusal_words(error)}"
        words = Content.styled(visible(problem), "$text-error")
        self.query_one("#problem", Static).update(words)
        return value

    @on(TextArea.Changed)
    def _typed(self) -> None:
        """Let the rendered row follow."""
        self._follow()

    @work(group="live", exclusive=True, exit_on_error=False)
    async def _follow(self) -> None:
        """Render the row as it stands, once the typing rests."""
        await asyncio.sleep(LIVE_SECONDS)
        if (value := self._checked()) is not None:
            await show_value(self.session, self.view, value, self._shape, number=self._number or 1,
                             length=self._length)  # fmt: skip

    # What the user does

    def action_keep(self) -> None:
        """Answer with the row, where it can be read."""
        if (value := self._checked()) is not None:
            self.dismiss(value)

    @work(group="form", exclusive=True, exit_on_error=False)
    async def action_other_form(self) -> None:
        """Edit the whole row as JSON, or field by field."""
        if (value := self._checked()) is not None:
            await self._show(value, parts_of(value) if self._parts is None else None)

    @work(group="form", exclusive=True, exit_on_error=False)
    async def action_outside(self) -> None:
        """Edit the row in the user's own editor, and go on here."""
        if (value := self._checked()) is not None:
            edited = await edited_outside(self.app, value)
            if edited is not None:
                await self._show(edited, None if self._parts is None else parts_of(edited))

    async def _show(self, value: dict[str, Any], parts: list[Part] | None) -> None:
        """Show another value, or the same in another form."""
        self._value, self._parts = value, parts or None
        await self.fields.remove_children()
        await self.fields.mount_all(self._areas())
        self.query(EditArea).first().focus()
        self._follow()

    @work(group="back", exclusive=True, exit_on_error=False)
    async def action_back(self) -> None:
        """Leave the row as it was; what was written is asked about."""
        question = ConfirmDialog(
            tr("Drop what you wrote?"),
            tr("The row has been changed. Stay, and F2 keeps the change."),
            yes=tr("Drop it"), no=tr("Stay"),
        )  # fmt: skip
        if not self.unsaved or await ask(self, question):
            self.dismiss(None)
