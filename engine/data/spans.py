"""Find the assistant's turns in a rendered conversation, from the template's own rendering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.chat import Chat, as_turns
from engine.data.marks import Marks, locate, mark_message
from engine.data.types import Message
from engine.errors import LoraDeckError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from engine.data.template import ChatTemplate

Span = tuple[int, int]
"""Start and end in a text, in characters."""


@dataclass(frozen=True)
class Rendering:
    """A chat with its text, and the means to render variations of it."""

    chat: Chat
    text: str
    template: ChatTemplate
    special: Callable[[], Collection[str]] = frozenset
    """Gives the tokenizer's special tokens, by which an answer's end is told."""

    def vary(self, messages: Sequence[Message], *, prompt: bool = False) -> str | None:
        """Render other turns in the same form, ``None`` where the template refuses them."""
        turns = as_turns(messages, text_arguments=self.chat.text_arguments)
        try:
            return self.template.run(turns, self.chat.tools, prompt=prompt)
        except LoraDeckError:
            return None


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
    opened = len(before) if before is not None else _heading(rendering, index)
    return min(start, opened or start), end + _end_of_turn(rendering, end, closing)


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


def _heading(rendering: Rendering, index: int) -> int | None:
    """Find where an answer begins whose prompt says more than the text does.

    DeepSeek-R1's opens a thought that the rendered answers lack.
    """
    text, messages = rendering.text, rendering.chat.messages
    mark = Marks.absent_from(text).make("")
    plain = Message(role="assistant", content=mark)
    for rest in (messages[index + 1 :], ()):
        header, found, _ = (rendering.vary([*messages[:index], plain, *rest]) or "").partition(mark)
        if found and text.startswith(header):
            return len(header)
    return None


def _end_of_turn(rendering: Rendering, end: int, closing: str) -> int:
    """Count the characters behind an answer that also end it where it is the last turn."""
    text, closing = rendering.text, closing.rstrip()
    if text.startswith(closing, end):
        return len(closing)
    # Phi-3 writes one more token behind the last turn: take those that both have
    common = next(
        (at for at, one in enumerate(closing) if not text.startswith(one, end + at)), len(closing)
    )
    shared = closing[:common]
    ends = (shared.rfind(token) + len(token) for token in rendering.special() if token in shared)
    return max(ends, default=0)


def not_located(index: int) -> LoraDeckError:
    """Say that an answer cannot be told apart from what surrounds it."""
    return LoraDeckError(
        "Answer not found in the rendered text",
        f"The model's chat template alters turn {index + 1} so that its answer "
        "cannot be told from the prompt.",
        "Choose a base model with a plainer chat template.",
    )
