"""Turns a conversation into the tokens that a model was trained to see: template and tokenizer."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from engine.data.model_files import (
    end_ids,
    generation_settings,
    load_tokenizer,
    special_texts,
    template_source,
)
from engine.data.run_limits import RanTooLongError, never_ends
from engine.data.template import ChatTemplate
from engine.data.types import Message
from engine.errors import LoraDeckError
from engine.language import mark, tr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.results.chat.types import ChatMessage

_PLAIN = mark(
    "This model has no chat template: turns are written as plain text, and it may go on by itself."
)
_ROOM = 256
"""Tokens that are kept free for an answer, where the model's context is large enough."""


class Prompt(NamedTuple):
    """What a model is given, and what the user should know of it."""

    tokens: list[int]
    notices: tuple[str, ...]


class Speech:
    """The template, tokenizer and end tokens of a base model, or of an adapter on it.

    Args:
        base: The base model's folder.
        adapter: The adapter's; what it lacks is the base's.

    Raises:
        LoraDeckError: A file is missing or damaged.
    """

    def __init__(self, base: Path, adapter: Path | None) -> None:
        folders = [adapter, base] if adapter else [base]
        own = next((one for one in folders if (one / "tokenizer.json").is_file()), base)
        written = next((one for one in folders if template_source(one) is not None), own)
        self.tokenizer = load_tokenizer(own)
        self._template = ChatTemplate.load(written)
        self.stops = ("\nUser:\n",) if self._template.is_default else ()
        named = self.tokenizer.token_to_id(self._template.eos_token or "")
        found = {token for folder in folders for token in end_ids(generation_settings(folder))}
        self.ends = sorted(found | ({named} if named is not None else set()))

    def decode(self, tokens: list[int]) -> str:
        """Give the text of tokens, special ones left out."""
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True))

    def prompt(self, messages: Sequence[ChatMessage], context: int, longest: int) -> Prompt:
        """Render and tokenize; where all is too long, the oldest turns are left out and it is said.

        Args:
            context: Tokens that the model can see at once.
            longest: Tokens of the longest answer that is wanted.

        Raises:
            LoraDeckError: The template refuses the turns, or the last question does not fit.
        """
        room = context - min(longest, _ROOM, context // 4)
        system, turns = _split(messages)

        def tokens(dropped: int) -> list[int]:
            """Give the tokens without the oldest turns."""
            return self._encode([*system, *turns[dropped:]])

        dropped, said = 0, tokens(0)
        if len(said) > room:
            later = [at for at, one in enumerate(turns) if at and one.role == "user"]
            # Of a long chat not each turn is tried: each trial renders and tokenizes all of it
            place = bisect_left(later, 1, key=lambda at: len(tokens(at)) <= room)
            dropped = later[min(place, len(later) - 1)] if later else 0
            said = tokens(dropped)
        if len(said) > room:
            raise _too_long(len(said), room)
        return Prompt(said, tuple(self._notices(messages, dropped, context)))

    def _encode(self, messages: Sequence[ChatMessage]) -> list[int]:
        """Give the tokens of the turns up to where the next answer begins."""
        turns = [Message(role=one.role, content=one.content) for one in messages]
        try:
            text = self._template.render(turns, add_generation_prompt=True)
        except RanTooLongError as error:
            raise never_ends(error) from None
        # The template writes BOS itself, as in the training
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def _notices(self, messages: Sequence[ChatMessage], dropped: int, context: int) -> list[str]:
        """Say what was left out or may mean something else than it looks like."""
        found = []
        if dropped:
            words = tr(
                "The oldest {count} turns are left out: the model sees {context} tokens at once.",
                count=dropped,
                context=context,
            )
            found.append(words)
        if self._template.is_default:
            found.append(tr(_PLAIN))
        said = "\n".join(one.content for one in messages if one.role != "assistant")
        if special := sorted(one for one in special_texts(self.tokenizer) if one in said):
            sign = special[0]
            found.append(tr("{sign} in the text acts as the model's own sign.", sign=sign))
        return found


def _split(
    messages: Sequence[ChatMessage],
) -> tuple[list[ChatMessage], list[ChatMessage]]:
    """Part a leading system prompt, which always stays, from the turns."""
    count = 1 if messages[0].role == "system" else 0
    return list(messages[:count]), list(messages[count:])


def _too_long(tokens: int, room: int) -> LoraDeckError:
    """Refuse a question that fills the context by itself."""
    return LoraDeckError(
        tr("Question too long"),
        tr(
            "The question has {count} tokens with the system prompt; {room} fit.",
            count=tokens,
            room=room,
        ),
        tr("Shorten it."),
    )
