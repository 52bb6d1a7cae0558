"""What looking at a dataset file found: type, rows, findings, and its first conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.text import human_bytes, visible
from screens.widgets.findings import error_text, finding_text

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.data.types import Conversation, Inspection
    from engine.errors import LoraDeckError

_TURN_CHARACTERS = 600  # of one turn; a preview is not the dataset
_ROLES = {"system": "$muted", "user": "$text-accent", "assistant": "$text-primary"}


class Preview(VerticalScroll):
    """A dataset at a glance."""

    DEFAULT_CSS = "Preview Static { width: 1fr; height: auto; }"

    _body = query_one(Static)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.border_title = "Preview"

    def compose(self) -> ComposeResult:
        """Hold the text."""
        yield Static(markup=False)

    def say(self, words: str) -> None:
        """Show words in place of a preview."""
        self._put(Content.styled(words, "$muted"))

    def refuse(self, error: LoraDeckError) -> None:
        """Say what is wrong with the file."""
        self._put(error_text(error))

    def put(self, inspection: Inspection) -> None:
        """Show a dataset."""
        head = Content.assemble(
            (inspection.dataset_type, "bold"),
            f" · {inspection.rows} rows · {human_bytes(inspection.size_bytes)}",
        )
        parts = [head, *map(finding_text, inspection.findings)]
        if not inspection.findings:
            parts.append(Content.styled("✓ nothing to object to", "$text-success"))
        parts += [_conversation(conversation) for conversation in inspection.preview]
        self._put(Content("\n").join(parts))

    def _put(self, text: Content) -> None:
        """Show text from its beginning."""
        self._body.update(text)
        self.scroll_home(animate=False)


def _conversation(conversation: Conversation) -> Content:
    """Write a conversation turn by turn."""
    parts = [Content.styled(f"\nrow {conversation.row}", "$muted")]
    for message in conversation.messages:
        words = message.content[:_TURN_CHARACTERS]
        if len(message.content) > _TURN_CHARACTERS:
            words += " …"
        parts.append(
            Content.assemble((f"{message.role}  ", f"bold {_ROLES[message.role]}"), visible(words))
        )
    return Content("\n").join(parts)
