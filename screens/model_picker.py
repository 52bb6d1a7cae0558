"""Choosing a base model; one that is not at hand is fetched first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, Static

from engine.errors import LoraDeckError
from engine.language import mark, tr
from engine.models.types import ModelInfo
from engine.text import visible
from screens.base import DeckScreen, back_binding
from screens.layers import open_above
from screens.model_words import capacity_words, fact_words, fetch_words
from screens.widgets.field import Field
from screens.widgets.findings import error_text
from screens.widgets.line_list import LineList
from screens.widgets.model_list import ModelList, heading, source_words

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from screens.messages import EngineStatusChanged
    from screens.session import Session

POLL_SECONDS = 0.5
_MOVING = ("downloading", "converting")
_NONE = mark("No model at hand. Type a path or a hub id above.")


class ModelPicker(DeckScreen[ModelInfo | None]):
    """Answers with a base model that is ready."""

    HEADING = mark("Base model")
    CSS_PATH = "model_picker.tcss"
    AUTO_FOCUS = "ModelList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter, path or hub id", id="models.filter",
                tooltip="Filter the list, or type a folder, a GGUF file or a hub id"),
        Binding("c", "chat", "Chat", id="models.chat",
                tooltip="Talk to the base model as it is"),
        Binding("x", "stop", "Stop", id="models.stop",
                tooltip="Stop fetching or converting the model; what is there is kept"),
        back_binding(),
    ]  # fmt: skip

    filter = query_one(Field)
    table = query_one(ModelList)
    head = query_one("#head", Static)
    detail = query_one("#detail", Static)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._models: dict[str, ModelInfo] = {}
        self._wanted: str | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out filter, table and detail."""
        with Vertical(id="filter-box") as box:
            box.border_title = tr("Filter, path or hub id")
            yield Field(tr("type to filter, or: org/name, /path/to/model"), id="filter")
        with Vertical(id="models") as models:
            models.border_title = tr("Base models")
            yield Static(id="head", markup=False)
            yield ModelList(tr(_NONE), id="table")
        yield Static(id="detail", markup=False)

    def on_mount(self) -> None:
        """Ask for the models."""
        self.detail.border_title = tr("About")
        if self.session.ahead.take():
            self.table.action_choose()
        self._list()

    def on_resize(self, event: events.Resize) -> None:
        """Draw the table's head in the new width."""
        self.head.update(heading(event.size.width - 3))

    def on_engine_status_changed(self, message: EngineStatusChanged) -> None:
        """Ask again once the engine is there."""
        super().on_engine_status_changed(message)
        if self.session.status.state == "ready":
            self._list()

    # Listing

    @work(group="list", exclusive=True, exit_on_error=False)
    async def _list(self) -> None:
        """Show the models, those that are ready first."""
        if self.session.status.state != "ready":
            return  # asked again once it is
        found = await self.session.client.models()
        found.sort(key=lambda model: model.state != "ready")
        if not self._models:
            self.table.cursor = self._usual()
        self._models = {model.name: model for model in found} | self._models
        self._show()
        if any(model.state in _MOVING for model in found):
            self._poll()

    def _usual(self) -> str:
        """Name the model that is most likely wanted: the chosen, the set, or the last one used."""
        newest = max((view.task for view in self.session.tasks.values()),
                     key=lambda task: task.created_at, default=None)  # fmt: skip
        last = newest.base_model if newest else "demo"
        return self.session.base_model or self.session.settings.default_model or last

    @on(Input.Changed, "#filter")
    def _show(self) -> None:
        """Show the models that the filter leaves."""
        words = self.filter.value.lower().split()
        self.table.empty = (
            tr("None of that name here. Enter looks for it as a folder, a GGUF file or a hub id.")
            if words
            else tr(_NONE)
        )
        self.table.show(
            {
                name: model
                for name, model in self._models.items()
                if all(word in f"{name} {source_words(model)}".lower() for word in words)
            }
        )
        self._describe()

    @on(LineList.Highlighted, "#table")
    def _describe(self) -> None:
        """Tell about the model under the cursor, or why it could not be fetched."""
        self.refresh_bindings()
        model = self.present
        if model is None:
            self.detail.update("")
            return
        lines = [Content(visible(model.description))] if model.description else []
        if model.problem:
            lines.append(Content.styled(f"✗ {visible(model.problem)}", "$text-error"))
        if facts := fact_words(model):
            lines.append(Content(facts))
        if model.capacity is not None:
            tone = "$text-error" if model.capacity.fits == "no" else ""
            lines.append(Content.styled(capacity_words(model.capacity), tone))
        if model.path:
            lines.append(Content.styled(visible(model.path), "$muted"))
        if model.state == "absent":
            lines.append(Content.styled(tr("Not here yet: Enter fetches it."), "$muted"))
        elif model.state in _MOVING:
            lines += [Content(words)] if (words := fetch_words(model)) else []
            if self._wanted == model.name:
                lines.append(Content.styled(tr("It is chosen once it is ready."), "$muted"))
        self.detail.update(Content("\n").join(lines))

    @property
    def present(self) -> ModelInfo | None:
        """The model under the cursor."""
        return self._models.get(self.table.cursor or "")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """A model must be here to be talked to, and on its way to be stopped."""
        state = self.present.state if self.is_mounted and self.present is not None else ""
        return {"chat": state == "ready", "stop": state in _MOVING}.get(action, True)

    def action_chat(self) -> None:
        """Talk to the model under the cursor."""
        from screens.chat import ChatScreen
        from screens.partner import of_model

        if self.present is not None:
            open_above(self, ChatScreen(self.session, of_model(self.present)))

    # Choosing

    @on(LineList.Chosen, "#table")
    def _chosen(self, event: LineList.Chosen) -> None:
        """Take a model, or fetch it first."""
        self._want(event.key)

    @on(Input.Submitted, "#filter")
    def _given(self, event: Input.Submitted) -> None:
        """Take the model under the cursor, or look for what was typed."""
        event.stop()
        if self.table.cursor is not None:
            self._want(self.table.cursor)
        elif event.value.strip():
            self._find(event.value.strip())

    @work(group="want", exclusive=True, exit_on_error=False)
    async def _find(self, name: str) -> None:
        """Look for a model that is not in the list; not finding it is said in words."""
        self.detail.update(Content.styled(tr("Looking…"), "$muted"))
        try:
            model = await self.session.client.model(name)
        except LoraDeckError as error:
            self.detail.update(error_text(error))
            return
        self._models[model.name] = model
        self._take(model)

    def _want(self, name: str) -> None:
        """Take a model of the list; more Enters are for what follows."""
        if name == self._wanted:
            self.session.ahead.keep(self)
        else:
            self._take(self._models[name])

    def _take(self, model: ModelInfo) -> None:
        """Answer with a model that is ready; have another one fetched."""
        self._wanted = model.name
        if model.state == "ready":
            self.dismiss(model)
        elif model.state == "absent":
            self._pull(model.name)
        else:
            self._describe()
            self._poll()

    @work(group="want", exclusive=True, exit_on_error=False)
    async def _pull(self, name: str) -> None:
        """Have a model fetched; a refusal is said in words."""
        try:
            model = await self.session.client.pull(name)
        except LoraDeckError as error:
            self._give_up()
            self.detail.update(error_text(error))
            return
        self._models[name] = model
        if not self._settled(model):
            self._show()
            self._poll()

    @work(group="want", exclusive=True, exit_on_error=False)
    async def action_stop(self) -> None:
        """Have what is fetched or converted under the cursor stopped."""
        if self.present is None:
            return
        model = await self.session.client.stop_pull(self.present.name)
        if self._wanted == model.name:
            self._give_up()
        self._models[model.name] = model
        self._show()

    @work(group="poll", exclusive=True, exit_on_error=False)
    async def _poll(self) -> None:
        """Follow what is being fetched or converted, while anything is."""
        while moving := [name for name, model in self._models.items() if model.state in _MOVING]:
            await asyncio.sleep(POLL_SECONDS)
            for name in moving:
                model = await self.session.client.model(name)
                self._models[name] = model
                if self._settled(model):
                    return
            self._show()

    def _settled(self, model: ModelInfo) -> bool:
        """Answer with the model that was waited for, once it is ready."""
        if model.name != self._wanted:
            return False
        if model.state == "absent":
            self._give_up()
        if model.state != "ready":
            return False
        self.dismiss(model)
        return True

    def _give_up(self) -> None:
        """Wait for no model any more, nor for what was to follow."""
        self._wanted = None
        self.session.ahead.forget()

    # Moving

    def action_filter(self) -> None:
        """Go to the filter."""
        self.set_focus(self.filter)

    def action_back(self) -> None:
        """Go back without a choice; a fetch goes on in the engine."""
        self.session.ahead.forget()
        self.dismiss(None)
