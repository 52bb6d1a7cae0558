"""The conversations that were kept: open one, or delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.language import mark, tr
from engine.results.chat.types import Conversation
from engine.text import visible
from screens.base import DeckScreen, back_binding
from screens.dialogs import ConfirmDialog
from screens.layers import ask, open_above
from screens.partner import find_partner
from screens.widgets.conversation_list import ConversationList
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from textual.app import ComposeResult

_ROLES = {"system": mark("system"), "user": mark("you"), "assistant": mark("answer")}
_PEEK_CHARACTERS = 600


async def go_on_with_one(screen: DeckScreen[None]) -> None:
    """Let the user choose a conversation, and open its chat above a screen.

    Raises:
        LoraDeckError: The engine cannot say whom it was with.
    """
    from screens.chat import ChatScreen

    session = screen.session
    chosen = await ask(screen, ConversationsScreen(session))
    if chosen is not None:
        partner = await find_partner(session, chosen.target)
        open_above(screen, ChatScreen(session, partner, chosen))


class ConversationsScreen(DeckScreen[Conversation | None]):
    """Answers with the conversation to go on with."""

    HEADING = mark("Conversations")
    CSS_PATH = "conversations.tcss"
    AUTO_FOCUS = "ConversationList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "delete", "Delete", id="conversations.delete",
                tooltip="Delete the conversation"),
        back_binding(),
    ]  # fmt: skip

    table = query_one(ConversationList)
    detail = query_one("#detail", Static)

    def compose_body(self) -> ComposeResult:
        """Lay out list and detail."""
        with Vertical(id="list") as box:
            box.border_title = tr("Kept conversations")
            yield ConversationList(self.session.now)
        yield Static(id="detail", markup=False)

    def on_mount(self) -> None:
        """Ask for the conversations."""
        self.detail.border_title = tr("How it ended")
        self._list()

    @work(group="list", exclusive=True, exit_on_error=False)
    async def _list(self) -> None:
        """Show the conversations, the last one first."""
        found = await self.session.client.conversations()
        found.sort(key=lambda one: -one.changed_at)
        self.table.show({one.id: one for one in found})
        self._describe()
        self.refresh_bindings()

    @on(LineList.Highlighted)
    def _describe(self) -> None:
        """Show the end of the conversation under the cursor."""
        conversation = self.table.items.get(self.table.cursor or "")
        lines = [
            Content.assemble(
                (f"{tr(_ROLES[message.role])}  ", "bold $muted"),
                visible(message.content[:_PEEK_CHARACTERS]),
            )
            for message in (conversation.messages[-2:] if conversation else ())
        ]
        self.detail.update(Content("\n").join(lines))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer to delete where there is something."""
        return action != "delete" or (self.is_mounted and self.table.cursor is not None)

    @on(LineList.Chosen)
    @work(group="open", exclusive=True, exit_on_error=False)
    async def _chosen(self, event: LineList.Chosen) -> None:
        """Answer with a conversation as it is kept now."""
        self.dismiss(await self.session.client.conversation(event.key))

    @work(group="delete", exclusive=True, exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the conversation under the cursor, once the user has confirmed it."""
        if (key := self.table.cursor) is None:
            return
        question = ConfirmDialog(
            tr("Delete the conversation?"),
            tr("'{title}' goes for good.", title=self.table.items[key].title),
            yes=tr("Delete it"), no=tr("Keep it"),
        )  # fmt: skip
        if await ask(self, question):
            await self.session.client.delete_conversation(key)
            self._list()

    def action_back(self) -> None:
        """Go back without a choice."""
        self.dismiss(None)
