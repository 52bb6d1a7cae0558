"""The assistants: create, edit, delete, and talk to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from engine.language import mark, tr
from engine.text import visible
from screens.base import DeckScreen, back_binding
from screens.conversations import go_on_with_one
from screens.dialogs import ConfirmDialog
from screens.layers import ask, open_above
from screens.partner import of_assistant
from screens.sampling_words import sampling_words
from screens.widgets.assistant_list import AssistantList
from screens.widgets.line_list import LineList

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from engine.results.chat.types import Assistant
    from screens.messages import EngineStatusChanged


class AssistantsScreen(DeckScreen[None]):
    """Lists the assistants; Enter talks to one."""

    HEADING = mark("Assistants")
    CSS_PATH = "assistants.tcss"
    AUTO_FOCUS = "AssistantList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "create", "New", id="assistants.new", tooltip="Create an assistant"),
        Binding("e", "edit", "Edit", id="assistants.edit", tooltip="Edit the assistant"),
        Binding("d", "delete", "Delete", id="assistants.delete",
                tooltip="Delete the assistant; its adapter and its base model stay"),
        Binding("h", "history", "History", id="assistants.history",
                tooltip="The conversations that were kept: go on with one"),
        back_binding(),
    ]  # fmt: skip

    table = query_one(AssistantList)
    detail = query_one("#detail", Static)

    def compose_body(self) -> ComposeResult:
        """Lay out list and detail."""
        with Vertical(id="list") as box:
            box.border_title = tr("Assistants")
            yield AssistantList()
        yield Static(id="detail", markup=False)

    def on_mount(self) -> None:
        """Ask for the assistants."""
        self.detail.border_title = tr("About")
        self._list()

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Ask again once the engine is there."""
        super().on_engine_status_changed(message)
        self._list()

    @property
    def chosen(self) -> Assistant | None:
        """The assistant under the cursor."""
        return self.table.items.get(self.table.cursor or "")

    @work(group="list", exclusive=True, exit_on_error=False)
    async def _list(self, cursor: str = "") -> None:
        """Show the assistants by name, with the cursor on one of them."""
        if self.session.status.state != "ready":
            return  # asked again once it is
        found = await self.session.client.assistants()
        found.sort(key=lambda one: one.name.lower())
        self.table.show({one.name: one for one in found})
        self.table.cursor = cursor or self.table.cursor
        self._describe()
        self.refresh_bindings()

    @on(LineList.Highlighted)
    def _describe(self) -> None:
        """Tell about the assistant under the cursor."""
        assistant = self.chosen
        if assistant is None:
            self.detail.update("")
            return
        prompt = visible(assistant.system) or tr("no system prompt")
        style = "" if assistant.system else "$muted"
        self.detail.update(Content.assemble(
            (sampling_words(assistant.sampling), "$muted"), "\n", (prompt, style)
        ))  # fmt: skip

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer what an assistant is needed for where there is one."""
        return action not in ("edit", "delete") or (self.is_mounted and self.chosen is not None)

    # What the user does

    @on(LineList.Chosen)
    def _chat(self) -> None:
        """Talk to the assistant under the cursor."""
        from screens.chat import ChatScreen

        if self.chosen is not None:
            open_above(self, ChatScreen(self.session, of_assistant(self.chosen)))

    def action_create(self) -> None:
        """Create an assistant."""
        self._edit(None)

    def action_edit(self) -> None:
        """Edit the assistant under the cursor."""
        self._edit(self.chosen)

    @work(group="edit", exclusive=True, exit_on_error=False)
    async def _edit(self, assistant: Assistant | None) -> None:
        """Show the form, and then what came of it."""
        from screens.assistant_editor import AssistantEditor

        saved = await ask(self, AssistantEditor(self.session, assistant))
        if saved is not None:
            self._list(saved.name)

    @work(group="history", exclusive=True, exit_on_error=False)
    async def action_history(self) -> None:
        """Go on with a conversation that was kept."""
        await go_on_with_one(self)

    @work(group="delete", exclusive=True, exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the assistant under the cursor, once the user has confirmed it."""
        if (assistant := self.chosen) is None:
            return
        question = ConfirmDialog(
            tr("Delete the assistant?"),
            tr(
                "'{name}' goes. Its adapter, its base model and its conversations stay.",
                name=assistant.name,
            ),
            yes=tr("Delete it"), no=tr("Keep it"),
        )  # fmt: skip
        if await ask(self, question):
            await self.session.client.delete_assistant(assistant.name)
            self._list()

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)
