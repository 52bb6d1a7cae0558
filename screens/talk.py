"""A conversation that goes on: what was said, and how the next answer is to be drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from engine.results.chat.types import ChatMessage, ChatRequest, Conversation, Sampling

if TYPE_CHECKING:
    from collections.abc import Iterable

    from screens.partner import Partner

_TITLE_CHARACTERS = 80


@dataclass(frozen=True)
class Turn:
    """A question and its answers."""

    question: str
    answer: str
    base_answer: str = ""
    """What the base said beside; empty where it was not asked."""


@dataclass
class Talk:
    """One conversation, with the settings of its next answer."""

    partner: Partner
    system: str
    sampling: Sampling
    turns: list[Turn] = field(default_factory=list)
    compare: bool = False
    """Whether the base is asked beside the adapter."""
    id: str = field(default_factory=lambda: uuid4().hex)
    """By which it is kept."""

    def request(self, question: str, *, base: bool, anew: bool) -> ChatRequest:
        """Ask for the next answer.

        Args:
            question: What is asked.
            base: Ask the base; it gets its own earlier answers, where it gave some.
            anew: The question takes the last one's place.
        """
        earlier = self.turns[:-1] if anew else self.turns
        messages = (*_messages(earlier, base=base), ChatMessage(role="user", content=question))
        # An assistant's own prompt that was emptied here is to stay away; elsewhere the model's
        # own default holds.
        system = self.system if self.system or self.partner.system else None
        return ChatRequest(
            target=self.partner.target, base=base, messages=messages, system=system,
            sampling=self.sampling,
        )  # fmt: skip

    def take(self, turn: Turn, *, anew: bool) -> None:
        """Take an answered question in; ``anew`` puts it in the last one's place."""
        if anew:
            self.turns.pop()
        self.turns.append(turn)

    def kept(self, moment: float) -> Conversation:
        """Give the conversation as it is to be kept; ``moment`` is in seconds since the epoch."""
        return Conversation(
            id=self.id, target=self.partner.target, title=self._title(),
            messages=tuple(_messages(self.turns, base=False)), system=self.system,
            sampling=self.sampling, changed_at=moment,
            base_answers=tuple(turn.base_answer for turn in self.turns),
        )  # fmt: skip

    def _title(self) -> str:
        """Give the beginning of the first question, in one line."""
        return " ".join(self.turns[0].question.split())[:_TITLE_CHARACTERS] if self.turns else ""


def begin(partner: Partner, compare: bool = False) -> Talk:
    """Begin a conversation, with the partner's own settings."""
    return Talk(partner, partner.system, partner.sampling, compare=compare and partner.adapted)


def go_on(conversation: Conversation, partner: Partner) -> Talk:
    """Go on with a conversation that was kept."""
    answers = conversation.base_answers
    turns = [
        Turn(question, answer, answers[place] if place < len(answers) else "")
        for place, (question, answer) in enumerate(_pairs(conversation.messages))
    ]
    return Talk(
        partner, conversation.system, conversation.sampling, turns,
        compare=partner.adapted and bool(turns and turns[-1].base_answer), id=conversation.id,
    )  # fmt: skip


def _messages(turns: Iterable[Turn], *, base: bool) -> list[ChatMessage]:
    """Write turns as messages."""
    messages = []
    for turn in turns:
        answer = turn.base_answer if base and turn.base_answer else turn.answer
        messages.append(ChatMessage(role="user", content=turn.question))
        messages.append(ChatMessage(role="assistant", content=answer))
    return messages


def _pairs(messages: Iterable[ChatMessage]) -> list[tuple[str, str]]:
    """Pair each question with its answer; one that another program left unanswered has none."""
    pairs: list[tuple[str, str]] = []
    for message in messages:
        if message.role == "user":
            pairs.append((message.content, ""))
        elif message.role == "assistant" and pairs:
            pairs[-1] = (pairs[-1][0], message.content)
    return pairs
