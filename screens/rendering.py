"""Showing a row as the chosen base model gets it, or its turns where none is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.text import visible
from screens.finding_codes import code_words
from screens.format import LEVELS
from screens.widgets.findings import TONES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data.types import Shape
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
        words = tr("Not rendered: {reason}", reason=visible(error.message))
        show_turns(view, value, shape, number, [*notes, Content.styled(words, "$text-warning")])
    else:
        view.put_rendered(row, Content("\n").join(notes))


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
    words = ", ".join(map(code_words, codes))
    return [Content.styled(f"{sign.glyph} {words}", TONES[sign.tone])]
