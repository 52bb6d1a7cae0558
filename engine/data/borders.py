"""Where an answer begins and ends that a template renders unlike its prompt or its last turn."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from engine.data.marks import Marks, locate, mark_message
from engine.data.types import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.variations import Rendering


def heading(rendering: Rendering, index: int) -> int | None:
    """Find where an answer begins for which the prompt differs from the text."""
    behind = _behind_neighbour(rendering, index)
    if behind is not None:
        return behind
    text, messages = rendering.text, rendering.chat.messages
    mark = Marks.absent_from(text).make("")
    plain = Message(role="assistant", content=mark)
    header, found, _ = (rendering.vary([*messages[:index], plain]) or "").partition(mark)
    return len(header) if found and text.startswith(header) else None


def _behind_neighbour(rendering: Rendering, index: int) -> int | None:
    """Find it behind the turn before, as the text before that turn may differ as well.

    Mistral's lists the functions before the last question, so that no shorter conversation
    begins as the whole one does. DeepSeek-R1's prompt opens a thought that its answers lack.
    """
    text, messages = rendering.text, rendering.chat.messages
    if not index:
        return None
    marks = Marks.absent_from(text)
    before = [*messages[: index - 1], mark_message(messages[index - 1], marks)]
    whole = rendering.vary([*before, *messages[index:]])
    found = None if whole is None else locate(whole, text, marks)
    if not found:
        return None
    last = max(found, key=found.__getitem__)
    for header in _headers(rendering, before, last):
        if text.startswith(header, found[last][1]):
            return found[last][1] + len(header)
    return None


def _headers(rendering: Rendering, before: list[Message], last: str) -> Iterator[str]:
    """Give what may stand between a turn's text, ended by a mark, and the answer to it."""
    yield (rendering.vary(before, prompt=True) or "").rpartition(last)[2]
    mark = Marks.absent_from(rendering.text, last).make("")
    plain = rendering.vary([*before, Message(role="assistant", content=mark)]) or ""
    header = plain.rpartition(last)[2].partition(mark)[0]
    yield header
    # Mistral's writes a blank before an answer, and none before a call
    yield header.rstrip()


def end_of_turn(rendering: Rendering, index: int, end: int, closing: str) -> int:
    """Count the characters behind an answer that end it.

    Args:
        rendering: The conversation.
        index: The answer's turn.
        end: Where its words end.
        closing: What follows them where it is the last turn.
    """
    text, closing = rendering.text, closing.rstrip()
    if text.startswith(closing, end):
        return len(closing)
    # Phi-3 writes one more token behind the last turn: take those that both have
    shared = _common(closing, text[end : end + len(closing)])
    ends = [shared.rfind(token) + len(token) for token in rendering.special() if token in shared]
    return max(ends, default=0) or _other_end(rendering, index, end, closing)


def _other_end(rendering: Rendering, index: int, end: int, closing: str) -> int:
    """Count the characters of an end token that differs from that of the last turn.

    gpt-oss ends its last answer with another token than those before. A token counts that
    stands behind the answer whoever speaks next, and that opens no turn.
    """
    special = tuple(rendering.special())
    if not special or not closing.lstrip().startswith(special):
        return 0
    messages = rendering.chat.messages[: index + 1]
    another = rendering.vary([*messages, Message(role="assistant", content="-")]) or ""
    ahead = _common(rendering.text, another)[end:]
    token = max((one for one in special if ahead.lstrip().startswith(one)), key=len, default="")
    said = rendering.vary(messages) or ""
    prompt = (rendering.vary(messages, prompt=True) or "").removeprefix(said)
    if not token or prompt.startswith(token):
        return 0
    return len(ahead) - len(ahead.lstrip()) + len(token)


def _common(one: str, other: str) -> str:
    """Give what two texts begin with alike."""
    pairs = zip(one, other, strict=False)
    return one[: sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))]
