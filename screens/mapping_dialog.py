"""Setting which column of a dataset holds what: a line a field, and the same as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static

from engine.errors import LoraDeckError
from engine.language import tr
from engine.text import visible
from screens.format import refusal_words
from screens.layers import Dialog
from screens.widgets.choice_row import ChoiceRow
from screens.widgets.field import Field
from screens.widgets.keys_line import KeysLine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult

_INVITATION = "instruction=问题,output=答案"


class MappingDialog(Dialog["dict[str, str] | None"]):
    """Answers with the column of each field; with nothing in it, LoRADeck finds out by itself."""

    CSS_PATH = "mapping_dialog.tcss"
    AUTO_FOCUS = "ChoiceRow, Field"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Take it", key_display="enter", id="mapping.take",
                tooltip="Read the dataset so"),
        Binding("f2", "forget", "Find out by itself", id="mapping.forget",
                tooltip="Let LoRADeck find out which column holds what"),
        Binding("escape", "dismiss(None)", "Back", id="mapping.back", tooltip="Change nothing"),
        Binding("down,j", "app.focus_next", "Next", show=False, id="mapping.next",
                tooltip="Next line"),
        Binding("up,k", "app.focus_previous", "Previous", show=False, id="mapping.previous",
                tooltip="Line before"),
    ]  # fmt: skip

    field = query_one(Field)

    def __init__(
        self, dataset_type: str, mapping: Mapping[str, str], columns: Sequence[str]
    ) -> None:
        super().__init__()
        self._fields = _fields()
        self._type = dataset_type if dataset_type in self._fields else "alpaca"
        self._mapping = dict(mapping)
        self._columns = list(columns)

    def compose(self) -> ComposeResult:
        """Lay out lines and text."""
        with Vertical(classes="dialog") as box:
            box.border_title = tr("Which column holds what")
            if self._columns:
                yield ChoiceRow(tr("rows are"), list(self._fields), self._type, id="type")
                yield VerticalScroll(*self._rows(), id="rows", can_focus=False)
                yield Static(tr("as text"), markup=False, classes="label", id="as-text")
            else:
                words = tr("Write it as field=column, with commas between.")
                yield Static(words, classes="label")
            yield Field(_INVITATION, id="text")
            yield Static(id="problem", markup=False)
            yield KeysLine()

    def on_mount(self) -> None:
        """Show the mapping as it is."""
        self.field.value = _as_text(self._mapping)

    def _rows(self) -> list[ChoiceRow]:
        """Make a line for each field of the type."""
        values = ["", *self._columns]
        return [
            ChoiceRow(name, values, self._mapping.get(name, ""))
            for name in self._fields[self._type]
        ]

    @on(ChoiceRow.Turned)
    async def _turned(self, event: ChoiceRow.Turned) -> None:
        """Take a line over into the text; another type brings other lines."""
        if event.row.id == "type":
            self._type = event.row.value
            self._mapping = {}
            area = self.query_one("#rows")
            await area.remove_children()
            await area.mount_all(self._rows())
        else:  # an empty column switches the field off
            self._mapping[event.row.label] = event.row.value
        self.field.value = _as_text(self._mapping)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        """Take the text over into the lines, or say what is wrong with it."""
        event.stop()
        if (mapping := self._parsed()) is not None:
            self._mapping = mapping
            for row in self.query("#rows ChoiceRow").results(ChoiceRow):
                row.value = mapping.get(row.label, "")

    def _parsed(self) -> dict[str, str] | None:
        """Read the text; what is wrong with it is said beneath."""
        from engine.data.shapes import parse_mapping

        words = ""
        mapping: dict[str, str] | None = {}
        if text := self.field.value.strip():
            try:
                mapping = dict(parse_mapping(text))
            except LoraDeckError as error:
                mapping, words = None, refusal_words(error)
        problem = Content.styled(visible(words and f"✗ {words}"), "$text-error")
        self.query_one("#problem", Static).update(problem)
        return mapping

    @on(Input.Submitted)
    def action_take(self) -> None:
        """Answer with what was set, where it can be read."""
        if (mapping := self._parsed()) is not None:
            self.dismiss(mapping)

    def action_forget(self) -> None:
        """Answer that nothing is set."""
        self.dismiss({})


def _fields() -> dict[str, tuple[str, ...]]:
    """Give the fields of each type, those it needs first."""
    from engine.data.synonyms import FIELDS

    return {name: need + may for name, (need, may) in FIELDS.items()}


def _as_text(mapping: Mapping[str, str]) -> str:
    """Write a mapping as it can be typed."""
    return ",".join(
        f'{name}="{column}"' if set(column) & set(",，=＝") else f"{name}={column}"
        for name, column in mapping.items()
    )
