"""Find one of the assistant's turns in a rendered conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.borders import end_of_turn, heading
from engine.data.marks import Marks, locate, mark_message
from engine.data.variations import not_located

if TYPE_CHECKING:
    from engine.data.variations import Rendering, Span


def find_turn(rendering: Rendering, index: int) -> Span | None:
    """Locate one answer: what a model has to write at this turn, and its end-of-turn token.

    That is what stands between the prompt for it and the conversation up to it. Where the
    template renders earlier turns in another way once later ones follow (Qwen3 drops their
    thinking), a mark in its place tells where it stands. ``None`` where the template leaves
    this turn out.

    Raises:
        LoraDeckError: The template alters the answer so that it cannot be located.
    """
    text, messages = rendering.text, rendering.chat.messages
    before = rendering.vary(messages[:index], prompt=True)
    after = (rendering.vary(messages[: index + 1]) or "").rstrip()
    if before is not None and not text.startswith(before):
        before = None
    if before is not None and text.startswith(after) and len(after) > len(before):
        return len(before), len(after)
    said = _by_marks(rendering, index) or _by_whole_mark(rendering, index)
    if said is None:
        return None
    start, end, closing = said
    opened = len(before) if before is not None else heading(rendering, index)
    return min(start, opened or start), end + end_of_turn(rendering, index, end, closing)


def _by_marks(rendering: Rendering, index: int) -> tuple[int, int, str] | None:
    """Give the place of what the answer says, and what follows it where it is the last turn.

    ``None`` where more than the marks differs.
    """
    text, messages = rendering.text, rendering.chat.messages
    marks = Marks.absent_from(text)
    marked = [*messages[:index], mark_message(messages[index], marks)]
    whole = rendering.vary([*marked, *messages[index + 1 :]])
    found = None if whole is None else locate(whole, text, marks)
    if not found:
        return None
    last = max(found, key=found.__getitem__)
    as_last = rendering.vary(marked) or ""
    closing = as_last.rpartition(last)[2]
    return min(found.values())[0], max(found.values())[1], closing


def _by_whole_mark(rendering: Rendering, index: int) -> tuple[int, int, str] | None:
    """Do so for an answer of which the template writes only a part.

    Raises:
        LoraDeckError: What the template writes is no part of the answer.
    """
    text, messages = rendering.text, rendering.chat.messages
    mark = Marks.absent_from(text).make("")
    marked = [*messages[:index], messages[index].model_copy(update={"content": mark})]
    whole = rendering.vary([*marked, *messages[index + 1 :]])
    if whole is None or mark not in whole:
        return None
    before, _, after = whole.partition(mark)
    start, end = len(before), len(text) - len(after)
    if start > end or not text.startswith(before) or not text.endswith(after):
        raise not_located(index)
    answer = text[start:end].strip()
    if answer not in messages[index].content:
        raise not_located(index)
    closing = (rendering.vary(marked) or "").rpartition(mark)[2]
    return (start, end, closing) if answer else None
