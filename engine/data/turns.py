"""All of the assistant's turns in a rendered conversation: by the template's word, or found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.chat import as_turns
from engine.data.layout import lay_out
from engine.data.long import find_many
from engine.data.spans import find_turn
from engine.data.variations import Rendering, not_located

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from engine.data.chat import Chat
    from engine.data.template import ChatTemplate
    from engine.data.types import Conversation
    from engine.data.variations import Span

_MANY_TURNS = 6
"""Answers beyond which finding one at a time, which renders all turns for each, is slow."""
_FIRST_SIGN = 0xE0F0
"""Of two private-use characters that enclose what ``{% generation %}`` holds."""


@dataclass(frozen=True)
class RenderedTurns:
    """A conversation as text, and where in it the assistant speaks."""

    text: str
    spans: tuple[Span, ...]
    """Start and end of each answer with its end-of-turn token, in characters, ascending."""
    chat: Chat
    """The form in which the template rendered it."""


def find_turns(
    conversation: Conversation,
    template: ChatTemplate,
    special: Callable[[], Collection[str]] = frozenset,
) -> RenderedTurns:
    """Render a conversation and locate what is trained.

    Where the template marks its answers with ``{% generation %}``, its marks say what; an
    end-of-turn token that stands right behind such a mark is added.

    Args:
        conversation: The row.
        template: The model's chat template.
        special: Gives the tokenizer's special tokens.

    Raises:
        LoraDeckError: The template fails, or alters an answer so that it cannot be located.
    """
    chat, text = lay_out(conversation, template)
    rendering = Rendering(chat, text, template, special)
    spans = _by_generation(rendering) or find_answers(rendering)
    return RenderedTurns(text, tuple(spans), chat)


def find_answers(rendering: Rendering) -> list[Span]:
    """Locate each answer that the template renders.

    Raises:
        LoraDeckError: An answer cannot be located.
    """
    messages = rendering.chat.messages
    answers = [index for index, one in enumerate(messages) if one.role == "assistant"]
    spans = find_many(rendering, answers) if len(answers) > _MANY_TURNS else None
    if spans is None:
        found = [(index, find_turn(rendering, index)) for index in answers]
        spans = [(index, span) for index, span in found if span is not None]
    end = 0
    for index, span in spans:
        if span[0] < end:
            raise not_located(index)
        end = span[1]
    return [span for _, span in spans]


def _by_generation(rendering: Rendering) -> list[Span]:
    """Take what the template itself marks as generated; nothing where it marks nothing."""
    if not rendering.template.marks_generation:
        return []
    chat, text = rendering.chat, rendering.text
    first = _FIRST_SIGN
    while chr(first) in text or chr(first + 1) in text:
        first += 2
    marks = chr(first), chr(first + 1)
    turns = as_turns(chat.messages, text_arguments=chat.text_arguments)
    marked = rendering.template.run(turns, chat.tools, marks=marks)
    spans = _unmark(marked, text, *marks)
    return _with_ends(rendering, spans) if spans else []


def _unmark(marked: str, text: str, opening: str, closing: str) -> list[Span]:
    """Read the marked ranges off; none where the template did more than write the marks."""
    if marked.replace(opening, "").replace(closing, "") != text:
        return []
    spans: list[Span] = []
    signs = 0
    start = 0
    for at, sign in enumerate(marked):
        if sign == opening:
            start = at - signs
        elif sign == closing and at - signs > start:
            spans.append((start, at - signs))
        signs += sign in (opening, closing)
    return spans


def _with_ends(rendering: Rendering, spans: Sequence[Span]) -> list[Span]:
    """Extend ranges to the end-of-turn token where the template leaves it outside."""
    text, special = rendering.text, tuple(rendering.special())
    if all(text[start:end].rstrip().endswith(special) for start, end in spans):
        return list(spans)
    ends = [end for _, end in find_answers(rendering)]
    starts = [start for start, _ in spans[1:]] + [len(text)]
    extended: list[Span] = []
    for (start, end), following in zip(spans, starts, strict=True):
        reached = next((one for one in ends if end < one <= following), end)
        is_open = not text[start:end].rstrip().endswith(special)
        ends_turn = text[end:reached].strip().startswith(special)
        extended.append((start, reached if is_open and ends_turn else end))
    return extended
