"""The conversations that were kept, by their first question."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from engine.language import tr
from engine.results.chat.types import Conversation
from screens.format import fitted, moment_words, moments_width, one_line, right_fitted
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from collections.abc import Callable

_TARGET_SHARE = 3  # a third of the line
_GAP = 2


class ConversationList(LineList[Conversation]):
    """A line each: what was asked first, of whom, and when it was last gone on with."""

    ASKS = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Open", key_display="enter", id="conversations.open",
                tooltip="Go on with the conversation"),
    ]  # fmt: skip

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(tr("No conversation yet. Each is kept after its first answer."))
        self._now = now

    def lines_of(self, item: Conversation, width: int) -> list[Text]:
        """Draw a conversation."""
        room = width // _TARGET_SHARE
        now, when_width = self._now(), moments_width() + _GAP
        when = moment_words(datetime.fromtimestamp(item.changed_at, now.tzinfo), now)
        title = one_line(item.title) or tr("(nothing asked)")
        line = Text(fitted(title, width - room - when_width))
        line.append(fitted(f"  {one_line(item.target)}", room), self.tone("run"))
        return [line.append(right_fitted(when, when_width), self.tone("dim"))]
