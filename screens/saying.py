"""One answer while it is given: its pieces are shown together, some times a second."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from textual.content import Content

from engine.errors import LoraDeckError
from engine.results.chat.types import Answered, Failed, Loading, Piece
from screens.format import one_line
from screens.pump import batches
from screens.widgets.turn_view import foot_words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.results.chat.types import ChatEvent
    from screens.widgets.turn_view import AnswerView

PAINT_SECONDS = 0.08


class Saying:
    """Follows an answer into its place on the screen."""

    def __init__(self, view: AnswerView) -> None:
        self.view = view
        self.text = ""
        """What was said so far, as it came from the model."""
        self.ended: Answered | None = None
        self.error: LoraDeckError | None = None

    async def follow(self, source: AsyncIterator[ChatEvent]) -> None:
        """Show the answer as it comes; a failure is kept. Cancelling this stops the answer."""
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
            self.view.wait(last.message)

    @property
    def given(self) -> bool:
        """Whether there is an answer, be it a part of one or one without words."""
        return self.error is None and bool(self.text or self.ended)

    def settle(self, *, stopped: bool) -> None:
        """Show how it ended."""
        if self.error is not None:
            words = Content.styled(f"✗ {one_line(self.error.message)}", "$text-error")
        else:
            words = foot_words(self.ended, stopped=stopped)
        self.view.end(self.text, words)
