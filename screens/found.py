"""All adapters and models of this machine, ours and others', and what can be done with each."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static

from engine.errors import LoraDeckError
from engine.language import mark, tr
from screens.base import DeckScreen, back_binding
from screens.found_words import detail_lines, summary_words
from screens.layers import ask, open_above
from screens.messages import BaseWanted, FurtherWanted
from screens.widgets.facts import Facts
from screens.widgets.field import PathField
from screens.widgets.findings import error_text
from screens.widgets.found_list import FoundList, heading
from screens.widgets.line_list import LineList
from screens.widgets.result_actions import Finished, ResultActions

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from engine.models.found import FoundModel
    from screens.messages import EngineStatusChanged
    from screens.session import Session

_ACTIONS = {
    "chat": mark("Talk to it"),
    "open": mark("Open its task"),
    "report": mark("Report"),
    "export": mark("Export"),
    "deploy": mark("Deploy to Ollama"),
    "further": mark("Train further"),
    "base": mark("Train on it"),
}
"""What can be done with a find, as its menu lists it."""


class FoundScreen(DeckScreen[None], ResultActions):
    """Lists what a scan has found; a folder of one's own can be looked into."""

    HEADING = mark("Models on this machine")
    CSS_PATH = "found.tcss"
    AUTO_FOCUS = "FoundList"
    # What Enter's menu offers as well leaves the footer where there is no room for all.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "chat", "Chat", id="found.chat", tooltip="Talk to the adapter or model"),
        Binding("o", "deploy", "Ollama", show=False, id="result.deploy",
                tooltip="Deploy the adapter to Ollama"),
        Binding("t", "further", "Train more", show=False, id="found.further",
                tooltip="Train the adapter further, on the same rows or others"),
        Binding("b", "base", "Train on it", id="found.base",
                tooltip="Take the model as the base of the next training"),
        Binding("slash", "folder", "Folder", id="found.folder",
                tooltip="Look into a folder of yours"),
        back_binding(),
    ]  # fmt: skip

    field = query_one(PathField)
    table = query_one(FoundList)
    head = query_one("#head", Static)
    detail = query_one(Facts)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.found: FoundModel | None = None
        """What stands under the cursor."""

    def compose_body(self) -> ComposeResult:
        """Lay out folder, table and detail."""
        with Vertical(id="folder-box") as box:
            box.border_title = tr("Folder")
            places = tr("LoRADeck's own folders and the Hugging Face cache")
            yield PathField(places, id="folder")
        with Vertical(id="models") as models:
            models.border_title = tr("Found")
            yield Static(id="head", markup=False)
            yield FoundList(tr("Looking…"), id="table")
        yield Facts(id="detail")

    def on_mount(self) -> None:
        """Look."""
        self.detail.border_title = tr("About")
        self.call_after_refresh(self._look, "")

    def on_resize(self, event: events.Resize) -> None:
        """Draw the table's head in the new width."""
        self.head.update(heading(event.size.width - 3))

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Look again once the engine is there."""
        super().on_engine_status_changed(message)
        if not self.table.items:
            self._look(self.field.value.strip())

    # Looking

    @on(Input.Submitted, "#folder")
    def _given(self, event: Input.Submitted) -> None:
        """Look into the folder that was typed."""
        event.stop()
        self._look(event.value.strip())

    @work(group="look", exclusive=True, exit_on_error=False)
    async def _look(self, path: str) -> None:
        """Show what lies there; why that cannot be told is said in words."""
        if self.session.status.state != "ready":
            return
        self.query_one("#models").border_subtitle = tr("Looking…")
        try:
            scan = await self.session.client.scan_models(path)
        except LoraDeckError as error:
            self.query_one("#models").border_subtitle = ""
            self.detail.put([error_text(error)])
            return
        self.table.empty = tr("Nothing found. / names another folder.")
        self.table.show({found.path: found for found in scan.found})
        self.query_one("#models").border_subtitle = Content(summary_words(scan))
        if self.table.items:
            self.set_focus(self.table)
        self._describe()

    @property
    def adapter(self) -> Finished | None:
        """The adapter under the cursor."""
        if (found := self.found) is None:
            return None
        ours = found.task_id in self.session.tasks
        source = found.task_id if ours else found.path
        return Finished(source, found.name, found.task_id if ours else "")

    @on(LineList.Highlighted, "#table")
    def _describe(self) -> None:
        """Tell about what stands under the cursor."""
        self.found = self.table.items.get(self.table.cursor or "")
        self.detail.put(detail_lines(self.found) if self.found else [])
        self.refresh_bindings()

    # Doing

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer what can be done with what stands under the cursor."""
        return action not in _ACTIONS or action in self._possible()

    def _possible(self) -> set[str]:
        """Name what can be done with what stands under the cursor."""
        if (found := self.found) is None or found.problem:
            return set()
        if found.kind != "adapter":
            return {"base"} if found.kind == "gguf" else {"base", "chat"}
        ours = {"open", "report", "further"} if found.task_id in self.session.tasks else set()
        return ours | ({"chat", "export", "deploy"} if found.base_here else set())

    @on(LineList.Chosen, "#table")
    @work(group="menu", exclusive=True, exit_on_error=False)
    async def _chosen(self) -> None:
        """Ask what is to be done; where there is nothing, the detail says why."""
        from screens.found_dialog import FoundDialog

        offered = {key: tr(words) for key, words in _ACTIONS.items() if key in self._possible()}
        if self.found is None or not offered:
            self.app.bell()
            return
        action = await ask(self, FoundDialog(self.found.name, offered))
        if action is not None:
            await self.run_action(action)

    def action_open(self) -> None:
        """Open the adapter's task."""
        from screens.task import TaskScreen

        if self.found is not None:
            open_above(self, TaskScreen(self.session, self.found.task_id))

    def action_chat(self) -> None:
        """Talk to the adapter or model."""
        from screens.chat import ChatScreen
        from screens.partner import of_found

        if self.found is not None:
            open_above(self, ChatScreen(self.session, of_found(self.found)))

    def action_further(self) -> None:
        """Make ready to train the adapter further."""
        if self.found is not None:
            self.app.post_message(FurtherWanted(self.session.tasks[self.found.task_id].task))

    def action_base(self) -> None:
        """Make ready to train on the model."""
        if self.found is not None:
            self.app.post_message(BaseWanted(self.found.path))

    # Moving

    def action_folder(self) -> None:
        """Go to the folder's name."""
        self.set_focus(self.field)

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)
