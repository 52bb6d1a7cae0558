"""Showing a row as the chosen base model gets it, or its turns where none is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content

from engine.errors import LoraDeckError
from engine.language import listed, mark, tr
from engine.text import visible
from screens.finding_codes import code_words
from screens.format import LEVELS
from screens.widgets.findings import TONES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data.types import Conversation, Shape
    from screens.session import Session
    from screens.widgets.row_view import RowView

_NO_MODEL = mark("Choose a base model at Home, and what is trained is marked here.")


async def show_value(
    session: Session,
    view: RowView,
    value: dict[str, Any],
    shape: Shape,
    *,
    number: int = 1,
    length: int | None = None,
    notes: Sequence[Content] = (),
) -> None:
    """Show a row in a view, rendered by the base model that is chosen for the next training."""
    if not session.base_model:
        hint = Content.styled(tr(_NO_MODEL), "$muted")
        show_turns(view, value, shape, number, [*notes, hint])
        return
    try:
        books = session.client.books
        row = await books.render(value, shape, session.base_model, max_length=length)
    except LoraDeckError as error:
        note = Content.styled(_refusal(error), "$text-warning")
        show_turns(view, value, shape, number, [*notes, note])
    else:
        view.put_rendered(row, Content("\n").join(notes))


async def marked(
    session: Session, conversation: Conversation, length: int | None = None
) -> Content:
    """Write a row as the chosen base model gets it, what is trained marked; or why not."""
    from screens.widgets.row_view import fault_line, marked_lines

    if not session.base_model:
        return Content.styled(tr(_NO_MODEL), "$muted")
    try:
        books = session.client.books
        value, shape = as_row(conversation)
        row = await books.render(value, shape, session.base_model, max_length=length)
    except LoraDeckError as error:
        return Content.styled(_refusal(error), "$text-warning")
    return fault_line(row.fault) if row.fault else Content("\n").join(marked_lines(row))


def as_row(conversation: Conversation) -> tuple[dict[str, Any], Shape]:
    """Give a row of a file that would be read as this conversation."""
    from engine.data.types import Shape

    if conversation.plain:
        text = conversation.messages[0].content
        return {"text": text}, Shape(dataset_type="text", columns={"text": "text"})
    whole = conversation.model_dump(mode="json", exclude_defaults=True)
    fields = [field for field in ("messages", "tools") if field in whole]
    value: dict[str, Any] = {field: whole[field] for field in fields}
    return value, Shape(dataset_type="messages", columns={field: field for field in value})


def _refusal(error: LoraDeckError) -> str:
    """Say why a row cannot be rendered."""
    return tr("Not rendered: {reason}", reason=visible(error.message))


def show_turns(
    view: RowView, value: dict[str, Any], shape: Shape, number: int, notes: Sequence[Content]
) -> None:
    """Show a row's turns, or why it has none."""
    from engine.data.faults import FaultyRowError
    from engine.data.normalize import normalize

    above = Content("\n").join([*notes, Content()]) if notes else Content()
    try:
        conversation = normalize(value, number, shape)
    except FaultyRowError as fault:
        view.put_fault(fault.detail, above)
    else:
        view.put_turns(conversation, above)


def code_note(codes: Sequence[str], fault: str) -> list[Content]:
    """Write a row's findings in one line."""
    if not codes:
        return []
    sign = LEVELS["error" if fault else "warning"]
    words = listed(map(code_words, codes))
    return [Content.styled(f"{sign.glyph} {words}", TONES[sign.tone])]
