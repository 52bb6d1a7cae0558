"""What was said in a chat; it follows the answer unless the user has scrolled up."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.getters import query_one
from textual.widgets import Static

from engine.language import mark, tr
from screens.widgets.turn_view import AnswerView, TurnView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult

    from screens.partner import Partner
    from screens.talk import Turn

_WAITING = (mark("Asking…"), mark("Answers after the adapter."))


class Transcript(VerticalScroll, can_focus=True):
    """The turns of a conversation."""

    DEFAULT_CSS = """
    Transcript {
        scrollbar-size-vertical: 1;
        & > #turns { height: auto; min-height: 100%; }
        & #empty { width: 1fr; height: auto; color: $muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_down", "Down", show=False, id="chat.down",
                tooltip="Scroll down"),
        Binding("up,k", "scroll_up", "Up", show=False, id="chat.up", tooltip="Scroll up"),
        Binding("home,g", "scroll_home", "First", show=False, id="chat.first",
                tooltip="Go to the beginning of the conversation"),
        Binding("end,G", "scroll_end", "Last", show=False, id="chat.last",
                tooltip="Go to the end of the conversation"),
    ]  # fmt: skip

    turns = query_one("#turns", Vertical)

    def compose(self) -> ComposeResult:
        """Begin at the top: a container as high as the window keeps short conversations there."""
        yield Vertical(id="turns")

    async def show(self, turns: Iterable[Turn], partner: Partner, invitation: str) -> None:
        """Show a conversation from its beginning; an invitation where nothing was said yet."""
        async with self.batch():
            await self.turns.remove_children()
            views = [_view_of(turn, partner) for turn in turns]
            await self.turns.mount_all(views or [Static(invitation, markup=False, id="empty")])
        self.anchor()

    async def begin(self, question: str, sides: list[AnswerView], *, anew: bool) -> TurnView:
        """Show a question whose answers are to come; ``anew`` in the last turn's place."""
        view = TurnView(question, sides)
        async with self.batch():
            await self.query("#empty").remove()
            if anew:
                await self.query(TurnView).last().remove()
            await self.turns.mount(view)
            for side, words in zip(sides, _WAITING, strict=False):
                side.wait(tr(words))
        self.anchor()
        return view

    def mark_last(self, *, replaced: bool) -> None:
        """Let the last turn step back while its question is being edited."""
        if views := self.query(TurnView):
            views.last().set_class(replaced, "-replaced")


def sides_for(partner: Partner, *, compare: bool) -> list[AnswerView]:
    """Make the places of the answers: the partner's, and the base's where it is asked too."""
    base = [_base_view(partner)] if compare else []
    return [AnswerView(partner.target), *base]


def _view_of(turn: Turn, partner: Partner) -> TurnView:
    """Show a turn that was kept."""
    base = [_base_view(partner, turn.base_answer)] if turn.base_answer else []
    return TurnView(turn.question, [AnswerView(partner.target, turn.answer), *base])


def _base_view(partner: Partner, text: str = "") -> AnswerView:
    """Make the place of the base's answer."""
    name = tr("base {name}", name=partner.base) if partner.base else tr("base")
    return AnswerView(name, text, base=True)
