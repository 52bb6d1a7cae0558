"""What looking at a dataset found: type, rows, findings, measures, its first conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.language import tr
from engine.text import human_bytes, visible
from screens.format import one_line
from screens.looking import progress_words, rows_words
from screens.widgets.conversation import conversation_text
from screens.widgets.facts import Fact, Facts
from screens.widgets.findings import error_text, finding_text, nothing_text
from screens.widgets.measures import measure_facts

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.data.types import Inspection, Scanning
    from engine.errors import LoraDeckError

_TURN_CHARACTERS = 600  # of one turn; a preview is not the dataset
_BAR = 24


class Preview(VerticalScroll):
    """A dataset at a glance."""

    DEFAULT_CSS = "Preview Static { width: 1fr; height: auto; }"

    _body = query_one("#found", Facts)
    _row = query_one("#row", Static)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.border_title = tr("Preview")

    def compose(self) -> ComposeResult:
        """Hold what was found, and beneath it a row as the base model gets it."""
        yield Facts(id="found")
        yield Static(id="row", markup=False)

    def say(self, words: str) -> None:
        """Show words in place of a preview."""
        self._put(Content.styled(words, "$muted"))

    def refuse(self, error: LoraDeckError, *, mapping: bool = False) -> None:
        """Say what is wrong with the file; ``mapping`` tells that setting one may help."""
        parts = [error_text(error)]
        if mapping:
            words = "\n" + tr("m says which column holds what.")
            parts.append(Content.styled(words, "$text-accent"))
        self._put(*parts)

    def progress(self, scanning: Scanning) -> None:
        """Show how far the look is, and what it has found so far."""
        parts = [Content.styled(progress_words(scanning), "$muted")]
        if scanning.share is not None:
            filled = round(max(0.0, min(scanning.share, 1.0)) * _BAR)
            rest = ("─" * (_BAR - filled), "$faint")
            parts.append(Content.assemble(("━" * filled, "$text-primary"), rest))
        self._put(*parts, *map(finding_text, scanning.findings), stay=True)

    def put(self, inspection: Inspection, mapping: bool = False) -> None:
        """Show a dataset; ``mapping`` tells that the user set what its columns hold."""
        parts: list[Fact | Content] = [_head(inspection), *_columns(inspection, mapping)]
        parts += map(finding_text, inspection.findings)
        if not inspection.findings:
            parts.append(nothing_text())
        parts += [*_left_out(inspection), *measure_facts(inspection)]
        for conversation in inspection.preview:
            number = tr("row {number}", number=f"{conversation.row:,}")
            parts.append(Content.styled(f"\n{number}", "$muted"))
            parts.append(conversation_text(conversation, _TURN_CHARACTERS))
        self._put(*parts)

    def put_row(self, title: str, row: Content) -> None:
        """Show a row as the base model gets it, beneath what was found."""
        self._row.update(Content("\n").join([Content.styled(f"\n{title}", "$muted"), row]))

    def _put(self, *parts: Fact | Content, stay: bool = False) -> None:
        """Show parts, from their beginning unless the reader is to stay where he is."""
        self._row.update("")
        self._body.put(parts)
        if not stay:
            self.scroll_home(animate=False)


def _head(inspection: Inspection) -> Content:
    """Write what the file is."""
    words = rows_words(inspection.rows)
    parts = [one_line(inspection.container), words, human_bytes(inspection.size_bytes)]
    return Content.assemble(
        (inspection.dataset_type, "bold"), "".join(f" · {part}" for part in parts if part)
    )


def _columns(inspection: Inspection, mapping: bool) -> list[Fact]:
    """Write which column holds what, where that was guessed or set."""
    shape = inspection.shape
    if shape is None or not (shape.guessed or mapping):
        return []
    from engine.data.shapes import describe_shape

    words = visible(describe_shape(shape)).removeprefix(f"{shape.dataset_type}: ")
    how = tr("set by you") if mapping else tr("guessed; m sets it")
    return [Fact(tr("columns"), Content.assemble(words, (f"  ({how})", "$text-accent")))]


def _left_out(inspection: Inspection) -> list[Fact]:
    """Write how many rows cannot train."""
    if not inspection.faulty:
        return []
    label = tr("left out") if inspection.can_train else tr("cannot train")
    tone = "$text-warning" if inspection.can_train else "$text-error"
    faulty, rows = f"{inspection.faulty:,}", f"{inspection.rows:,}"
    words = tr("{matching} of {rows} rows", matching=faulty, rows=rows)
    return [Fact(label, Content.styled(words, tone))]
