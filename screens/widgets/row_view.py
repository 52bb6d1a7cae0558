"""One row as the model gets it: its text with the trained part marked, and its tokens counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.language import tr, trn
from engine.text import visible
from screens.widgets.conversation import conversation_text
from screens.widgets.findings import error_text

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.data.types import Conversation, RenderedRow
    from engine.errors import LoraDeckError

TRAINED = "$text-success underline"
CUT = "$muted strike"
_CHARACTERS = 20_000  # of one row that are drawn; more than anyone reads in a terminal


class RowView(VerticalScroll):
    """Shows a rendered row, a row's turns, or why there is neither."""

    DEFAULT_CSS = """
    RowView { scrollbar-size-vertical: 1; }
    RowView Static { width: 1fr; height: auto; }
    """

    _body = query_one(Static)

    def compose(self) -> ComposeResult:
        """Hold the text."""
        yield Static(markup=False)

    def say(self, words: str) -> None:
        """Show words in place of a row."""
        self._put(Content.styled(words, "$muted"))

    def refuse(self, error: LoraDeckError) -> None:
        """Say why the row cannot be shown."""
        self._put(error_text(error))

    def put_rendered(self, row: RenderedRow, notes: Content) -> None:
        """Show a row as the model gets it; notes stand above."""
        if row.fault:
            self.put_fault(row.fault, notes)
            return
        self._put(_below(notes, *marked_lines(row)))

    def put_turns(self, conversation: Conversation, notes: Content) -> None:
        """Show a row's turns, where no base model says how it is rendered."""
        self._put(_below(notes, conversation_text(conversation)))

    def put_fault(self, fault: str, notes: Content) -> None:
        """Say why a row cannot train."""
        self._put(_below(notes, fault_line(fault)))

    def _put(self, text: Content) -> None:
        """Show text; the reader stays where he is while he edits."""
        self._body.update(text)


def marked_lines(row: RenderedRow) -> list[Content]:
    """Count a row's tokens, say what the marks mean and what the template did, and mark the row."""
    legend = [Content.styled(tr("trained"), TRAINED), Content(tr("not trained"))]
    if row.cut_at is not None:
        legend.append(Content.styled(tr("cut off"), CUT))
    head = Content.assemble((_counts(row), "bold"), "\n", Content("  ").join(legend))
    told = [Content.styled(f"• {visible(note)}", "$text-warning") for note in row.notes]
    return [head, *told, Content(), rendered_text(row)]


def rendered_text(row: RenderedRow) -> Content:
    """Mark what is trained, and what a length limit cuts off."""
    limit = min(len(row.text), _CHARACTERS)
    cut = limit if row.cut_at is None else min(row.cut_at, limit)
    parts: list[tuple[str, str] | str] = []
    place = 0
    for start, end in row.trained_spans:
        if start >= cut:
            break
        parts.append(_shown(row.text[place:start]))
        parts.append((_shown(row.text[start : min(end, cut)]), TRAINED))
        place = min(end, cut)
    parts.append(_shown(row.text[place:cut]))
    if row.cut_at is not None:
        parts += [("✂", "$text-error"), (_shown(row.text[cut:limit]), CUT)]
    if limit < len(row.text):
        words = tr("… {shown} more characters", shown=f"{len(row.text) - limit:,}")
        parts.append((f"\n{words}", "$muted"))
    return Content.assemble(*parts)


def _shown(text: str) -> str:
    """Make text safe to show, sign for sign."""
    return visible(text)


def _counts(row: RenderedRow) -> str:
    """Count the tokens: ``96 tokens, 41 trained``."""
    tokens = trn("{shown} token", "{shown} tokens", row.tokens, shown=f"{row.tokens:,}")
    return f"{tokens}, {tr('{shown} trained', shown=f'{row.trained:,}')}"


def fault_line(fault: str) -> Content:
    """Write why a row cannot train."""
    return Content.assemble((f"✗ {tr('cannot train:')} ", "$text-error"), visible(fault))


def _below(*parts: Content) -> Content:
    """Put parts beneath each other; an empty first one takes no line."""
    first, *rest = parts
    return Content("\n").join([first, *rest] if first else rest)
