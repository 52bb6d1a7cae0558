"""A rendered chat, and renderings of variations of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.chat import Chat, as_turns
from engine.errors import LoraDeckError
from engine.language import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from engine.data.template import ChatTemplate
    from engine.data.types import Message

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


def not_located(index: int) -> LoraDeckError:
    """Say that an answer cannot be told apart from what surrounds it."""
    return LoraDeckError(
        tr("Answer not found in the rendered text"),
        tr(
            "The model's chat template alters turn {index} so that its answer cannot "
            "be told from the prompt.",
            index=index + 1,
        ),
        tr("Choose a base model with a plainer chat template."),
    )
