"""Answers while they are given: their pieces are shown together, some times a second."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from textual.content import Content

from engine.errors import LoraDeckError
from engine.results.chat.types import Answered, Failed, Loading, Piece
from screens.format import one_line
from screens.pump import batches
from screens.talk import Turn
from screens.widgets.turn_view import foot_words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from engine.results.chat.types import ChatEvent
    from engine.server.client import EngineClient
    from screens.talk import Talk
    from screens.widgets.turn_view import AnswerView

PAINT_SECONDS = 0.08


class Saying:
    """Follows an answer into its place on the screen."""

    def __init__(self, view: AnswerView) -> None:
        self.view = view
        self.text = ""
        """What was said so far, as it came from the model."""
        self.begun = False
        self.ended: Answered | None = None
        self.error: LoraDeckError | None = None

    async def follow(self, source: AsyncIterator[ChatEvent]) -> None:
        """Show the answer as it comes; a failure is kept. Cancelling this stops the answer."""
        self.begun = True
        try:
            async with aclosing(batches(source, PAINT_SECONDS)) as stream:
                async for events in stream:
                    for event in events:
                        self._take(event)
                    self._paint(events[-1])
        except LoraDeckError as error:
            self.error = error

    def _take(self, event: ChatEvent) -> None:
        """Take in what the engine says."""
        match event:
            case Piece():
                self.text += event.text
            case Answered():
                self.ended, self.text = event, event.text
            case Failed():
                self.error = LoraDeckError(event.title, event.message, event.hint)
            case Loading():
                pass

    def _paint(self, last: ChatEvent) -> None:
        """Show what is there by now."""
        if self.text:
            self.view.go_on(self.text)
        elif isinstance(last, Loading):
            self.view.load(last.message)

    @property
    def given(self) -> bool:
        """Whether there is an answer, be it a part of one or one without words."""
        return self.error is None and bool(self.text or self.ended)

    def settle(self) -> None:
        """Show how it ended; an answer without an end was stopped."""
        if not self.begun:
            self.view.skip()
            return
        if self.error is not None:
            words = Content.styled(f"✗ {one_line(self.error.message)}", "$text-error")
        else:
            words = foot_words(self.ended)
        self.view.end(self.text, words)


class Exchange:
    """A question, with the answers that are being given to it: the partner's, then the base's.

    Args:
        question: What was asked.
        sides: Where the answers are shown.
        anew: The question takes the last one's place.
    """

    def __init__(self, question: str, sides: Iterable[AnswerView], *, anew: bool) -> None:
        self.question, self.anew = question, anew
        self._sayings = [Saying(side) for side in sides]

    async def follow(self, client: EngineClient, talk: Talk) -> None:
        """Ask for one answer after the other: the engine gives one at a time."""
        for place, saying in enumerate(self._sayings):
            request = talk.request(self.question, base=bool(place), anew=self.anew)
            await saying.follow(client.chat(request))
            if saying.ended is None:
                return  # it failed, or the engine has ended

    def settle(self) -> list[LoraDeckError]:
        """Show how the answers ended, and give what failed."""
        for saying in self._sayings:
            saying.settle()
        return [saying.error for saying in self._sayings if saying.error is not None]

    @property
    def turn(self) -> Turn | None:
        """The question with its answers; ``None`` where the partner gave none."""
        answer, *others = self._sayings
        base = "".join(saying.text for saying in others)
        return Turn(self.question, answer.text, base) if answer.given else None

    @property
    def notice(self) -> str:
        """What the user should know, as the partner's answer says."""
        ended = self._sayings[0].ended
        return ended.notice if ended is not None else ""
