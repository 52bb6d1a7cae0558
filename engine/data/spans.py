"""Find the assistant's turns in a rendered conversation, from the template's own rendering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data.template import ChatTemplate
    from engine.data.types import Message


@dataclass(frozen=True)
class RenderedTurns:
    """A conversation as text, and where in it the assistant speaks."""

    text: str
    spans: tuple[tuple[int, int], ...]
    """Start and end of each answer with its end-of-turn token, in characters, ascending."""


def find_turns(messages: Sequence[Message], template: ChatTemplate) -> RenderedTurns:
    """Render a conversation and locate each answer that the template renders.

    Raises:
        LoraDeckError: The template fails, or alters an answer so that it cannot be located.
    """
    text = template.render(messages)
    spans: list[tuple[int, int]] = []
    for index, message in enumerate(messages):
        if message.role != "assistant":
            continue
        span = _by_prefix(text, messages, index, template)
        if span is None:
            span = _by_mark(text, messages, index, template)
        if span is None:
            continue
        if spans and span[0] < spans[-1][1]:
            raise _not_located(index)
        spans.append(span)
    return RenderedTurns(text, tuple(spans))


def _by_prefix(
    text: str, messages: Sequence[Message], index: int, template: ChatTemplate
) -> tuple[int, int] | None:
    """Take what stands between the prompt for an answer and the conversation up to it.

    That is what a model has to write at this turn. ``None`` where the template renders earlier
    turns in another way once later ones follow (Qwen3 drops their thinking).
    """
    before = template.render(messages[:index], add_generation_prompt=True)
    after = template.render(messages[: index + 1]).rstrip()
    if not (text.startswith(before) and text.startswith(after)) or len(after) <= len(before):
        return None
    return len(before), len(after)


def _by_mark(
    text: str, messages: Sequence[Message], index: int, template: ChatTemplate
) -> tuple[int, int] | None:
    """Put a mark in the place of an answer and see where the template writes it.

    ``None`` where the template leaves this turn out.
    """
    mark = _mark_for(text)
    marked = [*messages[:index], messages[index].model_copy(update={"content": mark})]
    whole = template.render([*marked, *messages[index + 1 :]])
    if mark not in whole:
        return None
    before, _, after = whole.partition(mark)
    start, end = len(before), len(text) - len(after)
    if start > end or not text.startswith(before) or not text.endswith(after):
        raise _not_located(index)
    answer = text[start:end].strip()
    if answer not in messages[index].content:
        raise _not_located(index)
    if not answer:
        return None
    return start, end + _end_of_turn(text, end, template.render(marked), mark)


def _end_of_turn(text: str, end: int, as_last: str, mark: str) -> int:
    """Count the characters behind an answer that also end it where it is the last turn."""
    closing = as_last.rpartition(mark)[2].rstrip()
    return len(closing) if text.startswith(closing, end) else 0


def _mark_for(text: str) -> str:
    """Make a mark of private-use characters that the text does not hold."""
    mark = "\ue0f0\ue0f1"
    while mark in text:
        mark += "\ue0f1"
    return mark


def _not_located(index: int) -> LoraDeckError:
    """Say that an answer cannot be told apart from what surrounds it."""
    return LoraDeckError(
        "Answer not found in the rendered text",
        f"The model's chat template alters turn {index + 1} so that its answer "
        "cannot be told from the prompt.",
        "Choose a base model with a plainer chat template.",
    )
