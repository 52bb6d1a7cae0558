"""Find the answers of a long conversation with a few renderings rather than several an answer."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from engine.data.marks import Marks, locate, mark_message
from engine.data.spans import find_turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data.types import Message
    from engine.data.variations import Rendering, Span

_Kind = tuple[str, ...]


def find_many(rendering: Rendering, answers: Sequence[int]) -> list[tuple[int, Span]] | None:
    """Locate many answers: the first of each kind with care, the others by what surrounds it.

    One rendering with a mark in every turn shows where each turn's text stands. What stands
    between it and the neighbouring turns' texts is the same for all answers of a kind.

    Returns:
        The turns' indexes with their spans; ``None`` where the template writes what is around
        the turns in no regular way, so that each has to be located on its own.
    """
    places = _places(rendering)
    if places is None:
        return None
    learned: dict[_Kind, tuple[str, str] | None] = {}
    spans: list[tuple[int, Span]] = []
    for index in answers:
        kind = _kind(rendering.chat.messages, index)
        span = None
        if kind is not None and kind in learned:
            frame = learned[kind]
            span = None if frame is None else _apply(rendering.text, places, index, frame)
            if span is None:
                return None
        else:
            span = find_turn(rendering, index)
            if span is None:
                return None
            if kind is not None:
                learned[kind] = _learn(rendering.text, places, index, span)
        spans.append((index, span))
    return spans


def _places(rendering: Rendering) -> list[Span | None] | None:
    """Tell where each turn's text stands; ``None`` where it cannot be told."""
    marks = Marks.absent_from(rendering.text)
    handed: list[list[str]] = []
    marked: list[Message] = []
    for message in rendering.chat.messages:
        before = len(marks.values)
        # The system turn may steer the template: it stays
        marked.append(message if message.role == "system" else mark_message(message, marks))
        handed.append(list(islice(reversed(marks.values), len(marks.values) - before)))
    whole = rendering.vary(marked)
    found = None if whole is None else locate(whole, rendering.text, marks)
    if found is None:
        return None
    return [_extent([found[mark] for mark in given if mark in found]) for given in handed]


def _extent(found: Sequence[Span]) -> Span | None:
    """Give the first start and the last end."""
    return (min(found)[0], max(found)[1]) if found else None


def _kind(messages: Sequence[Message], index: int) -> _Kind | None:
    """Name what surrounds an answer; ``None`` for the first and the last turn."""
    if not 0 < index < len(messages) - 1:
        return None
    message = messages[index]
    return (
        messages[index - 1].role,
        "calls" if message.tool_calls else "speaks",
        "says" if message.content.strip() else "silent",
        messages[index + 1].role,
    )


def _learn(
    text: str, places: Sequence[Span | None], index: int, span: Span
) -> tuple[str, str] | None:
    """Take what stands between an answer and its neighbours, but for their own whitespace."""
    before, after = places[index - 1], places[index + 1]
    if before is None or after is None:
        return None
    header = text[before[1] : span[0]].lstrip()
    following = text[span[1] : after[0]].rstrip()
    return (header, following) if header and following else None


def _apply(
    text: str, places: Sequence[Span | None], index: int, frame: tuple[str, str]
) -> Span | None:
    """Find an answer between a header and what follows it."""
    before, own, after = places[index - 1], places[index], places[index + 1]
    if before is None or own is None or after is None:
        return None
    header, following = frame
    opening = text[before[1] : own[0]]
    closing = text[own[1] : after[0]].rstrip()
    if not opening.lstrip().startswith(header) or not closing.endswith(following):
        return None
    start = own[0] - len(opening.lstrip()) + len(header)
    return start, own[1] + len(closing) - len(following)
